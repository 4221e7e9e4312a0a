"""Starts and stops real simulators."""
