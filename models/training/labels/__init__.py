"""Which phone is said in which frame of a recording."""
