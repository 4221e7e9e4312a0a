"""What the embedded simulated devices that `sim:` URLs open have in common; each stands with its family."""
