"""Charley, an offline voice coach for muscle cramp."""

__version__ = "0.1.0"
