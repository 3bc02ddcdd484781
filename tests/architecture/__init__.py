"""The project itself: packages, scripts, documentation, licences."""
