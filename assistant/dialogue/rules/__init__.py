"""The rules of the dialogue, one file a phase."""
