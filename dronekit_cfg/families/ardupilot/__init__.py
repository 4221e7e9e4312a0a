"""ArduPilot over MAVLink."""
