"""One conversation without a loop."""
