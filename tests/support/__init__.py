"""What tests and benches share: stages, sound cards, processes, voices."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""
