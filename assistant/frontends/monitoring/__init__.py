"""A server's health and metrics."""
