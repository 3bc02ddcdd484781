"""Charley inside Open Voice OS, as one of its skills."""
