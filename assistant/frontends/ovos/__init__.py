"""Open Voice OS."""
