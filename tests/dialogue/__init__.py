"""The conversation as a state machine."""
