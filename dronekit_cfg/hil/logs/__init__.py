"""Flight logs of other programs, as far as the monitors of GNSS trust need them."""
