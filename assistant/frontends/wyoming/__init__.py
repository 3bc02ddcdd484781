"""Home Assistant's voice protocol."""
