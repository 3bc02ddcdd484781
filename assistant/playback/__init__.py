"""Actions to one timeline, of samples or of captions."""
