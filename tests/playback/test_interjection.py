"""Facts about an answer that is laid between the words of a hold."""

import numpy as np

from assistant.playback.clip import ClipWord
from assistant.playback.interjection import interjected

CLEARANCE = 30


def word(at: int, length: int = 300, text: str = "one", *, fixed: bool = False) -> ClipWord:
    return ClipWord(at, np.ones(length, np.int16), text, count=True, fixed=fixed)


def laid(words: list[ClipWord], *lengths: int, earliest: int) -> list[tuple[int, int, str]]:
    """Return where each word stands, how long it is and what it says."""
    takes = [np.ones(length, np.int16) for length in lengths]
    found = interjected(words, takes, "answer", earliest, CLEARANCE)
    return [(each.at, len(each.samples), each.text) for each in found]


def test_the_first_take_that_fits_is_laid_into_the_gap() -> None:
    words = [word(1000), word(2000, fixed=True)]
    assert laid(words, 700, 500, 400, earliest=1400)[1] == (1400, 500, "answer")


def test_it_waits_for_the_word_that_has_begun() -> None:
    words = [word(1000), word(2000, fixed=True)]
    assert laid(words, 400, earliest=1100)[1] == (1300 + CLEARANCE, 400, "answer")


def test_it_covers_a_count_but_never_a_fixed_word() -> None:
    words = [word(1000), word(2000), word(3000, fixed=True)]
    assert laid(words, 900, 800, earliest=1500) == [
        (1000, 300, "one"), (1500, 900, "answer"), (3000, 300, "one"),
    ]  # fmt: skip


def test_what_would_cover_the_last_count_is_not_said() -> None:
    words = [word(1000), word(2000, fixed=True)]
    assert interjected(words, [np.ones(900, np.int16)], "answer", 1500, CLEARANCE) is words


def test_it_comes_after_one_that_is_laid_already() -> None:
    words = [word(1000), word(1400, text="before", fixed=True), word(4000, fixed=True)]
    assert laid(words, 400, earliest=1410)[2] == (1700 + CLEARANCE, 400, "answer")
