"""u-blox GNSS receivers over UBX."""
