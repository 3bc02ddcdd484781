"""Speech models on disk: catalogue, download, check, extend by words."""
