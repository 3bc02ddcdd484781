"""Text to intent and slots."""
