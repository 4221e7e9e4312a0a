"""The embedded simulated vehicle that `sim:` URLs open."""
