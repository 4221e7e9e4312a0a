"""Codecs without I/O: bytes in, messages out."""
