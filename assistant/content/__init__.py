"""One language's data, read and checked."""
