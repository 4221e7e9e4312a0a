"""The family of flight controllers that run INAV."""
