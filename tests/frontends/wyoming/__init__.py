"""Charley on the network."""
