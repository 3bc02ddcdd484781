"""Charley as a skill of Open Voice OS."""
