"""A text of any length is searched to its end: red flags first, then the strongest meaning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.nlu.matcher import Match, windows
from assistant.nlu.templates import RED_FLAG_PREFIX
from assistant.nlu.thresholds import WINDOW_OVERLAP_WORDS, WINDOW_WORDS
from tests.nlu.test_matcher import MATCHER, lines

TALE = (
    "so I was running along the canal this morning with the dog and the weather was lovely and "
    "there were lots of people about and I had coffee first and then I went past the old mill "
)
FLAGS = [
    line for name in ("redflag_chest_breathing", "redflag_dizzy_faint") for line in lines(name)
]


def intent(text: str) -> str:
    found = MATCHER.match(text)
    return found.intent if isinstance(found, Match) else ""


@pytest.mark.parametrize("before", [0, 1, 2, 3, 7, 40])
@pytest.mark.parametrize("after", [0, 3])
def test_a_red_flag_is_found_anywhere_in_a_tale(before: int, after: int) -> None:
    text = f"{before * TALE} and my chest hurts {after * TALE}"
    assert intent(text) == "redflag_chest_breathing"


@pytest.mark.parametrize("word", ["ow", "okay", "please"])
def test_a_word_said_a_hundred_times_hides_nothing(word: str) -> None:
    assert intent(f"{100 * f'{word} '} my chest hurts").startswith(RED_FLAG_PREFIX)
    assert intent(f"{100 * f'{word} '} stop") == "control_stop"


def test_a_red_flag_beats_what_stands_before_and_after_it() -> None:
    text = f"my left calf is cramping {4 * TALE} I feel faint {4 * TALE} stop"
    assert intent(text) == "redflag_dizzy_faint"


@given(st.sampled_from(FLAGS), st.integers(0, 400), st.integers(0, 100))
def test_no_place_in_a_text_hides_a_red_flag(flag: str, before: int, after: int) -> None:
    text = " ".join([*before * ["ow"], flag, *after * ["ow"]])
    assert intent(text).startswith(RED_FLAG_PREFIX)


@given(st.lists(st.sampled_from("abc"), max_size=400))
def test_windows_hold_every_stretch_as_long_as_their_overlap(letters: list[str]) -> None:
    words = tuple(f"{letter}{at}" for at, letter in enumerate(letters))
    parts = windows(words)
    assert all(len(part) <= WINDOW_WORDS for part in parts)
    for at in range(max(1, len(words) - WINDOW_OVERLAP_WORDS + 1)):
        stretch = words[at : at + WINDOW_OVERLAP_WORDS]
        starts = ((part, n) for part in parts for n in range(len(part) + 1))
        assert any(part[n : n + len(stretch)] == stretch for part, n in starts)
