"""One folder for each family of devices, all of the same shape."""
