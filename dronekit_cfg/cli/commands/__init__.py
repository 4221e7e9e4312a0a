"""One module for each verb; heavy imports live in the bodies."""
