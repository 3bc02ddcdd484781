"""How property tests draw their examples."""

from hypothesis import settings
from hypothesis import strategies as st

USUAL = 50
"""Examples of a property that says nothing else; the profile of tests/conftest.py."""

CHARACTERS = st.characters(exclude_categories=["Cs"])
"""All that a file can hold: the characters of `st.text()`, without the two seconds to find them."""


def examples(count: int) -> int:
    """Return how many examples to try where `count` do; `--thorough` tries many more."""
    return count * settings().max_examples // USUAL
