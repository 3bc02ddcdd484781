"""Who talks to people."""
