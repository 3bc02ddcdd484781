"""What words are taken to mean, and how long that takes."""
