"""The project itself: layers, packages, scripts, the README."""
