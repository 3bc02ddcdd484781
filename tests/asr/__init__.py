"""Words from sound."""
