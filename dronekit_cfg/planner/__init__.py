"""Pure planning: what differs, in which order it is written, how it is undone and verified."""
