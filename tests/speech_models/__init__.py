"""Speech models on disk."""
