"""Checks on a bench, scenarios in flight on the simulator, and what both leave as evidence."""
