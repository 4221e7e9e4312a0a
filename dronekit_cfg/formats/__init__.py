"""Text to model and back: profiles, parameter files, snapshots."""
