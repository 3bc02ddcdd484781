"""Sound, in memory and in devices."""
