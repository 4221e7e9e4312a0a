"""Which metadata fits this firmware version, and importers for vendor metadata."""
