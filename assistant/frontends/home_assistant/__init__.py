"""What Home Assistant is told besides its voice protocol."""
