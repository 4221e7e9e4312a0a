"""The family of flight controllers that run Betaflight."""
