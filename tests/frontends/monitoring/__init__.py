"""Health, metrics and systemd."""
