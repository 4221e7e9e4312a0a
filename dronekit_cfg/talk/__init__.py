"""Conversations with vehicles as generators, still without I/O."""
