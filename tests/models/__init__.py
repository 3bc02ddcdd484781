"""The training of the speech model."""
