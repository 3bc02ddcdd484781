"""A conversation that is typed."""
