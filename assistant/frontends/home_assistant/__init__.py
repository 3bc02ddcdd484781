"""Home Assistant, apart from its voice protocol."""
