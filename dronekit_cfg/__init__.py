"""dronekit-cfg puts drone flight controllers into a known, proven configuration."""

__all__ = ["__version__"]

__version__ = "0.1.0"
