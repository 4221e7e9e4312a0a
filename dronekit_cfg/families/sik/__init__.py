"""SiK telemetry radios over their AT commands."""
