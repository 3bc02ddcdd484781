"""Whether every routine is coached to its end, with each count on its second."""
