"""PX4 over MAVLink."""
