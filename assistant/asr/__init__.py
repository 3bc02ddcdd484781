"""PCM to hypotheses."""
