"""Files made without a listener."""
