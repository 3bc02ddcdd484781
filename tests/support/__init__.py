"""What tests and benches share: stages, sound cards, processes, voices."""
