"""Utterances become the same plain words however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.nlu.intents import load
from assistant.nlu.normalise import Spelling, normalise, surface
from tests.support import ROOT
from tests.support.examples import CHARACTERS

SPELLING = load(ROOT / "intents/en/sentences").language.spelling


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("STOP!", "stop"),
        ("Left calf's gone, I'm on the ground.", "left calf is gone i am on the ground"),
        ("I\u2019ve got cramp", "i have got cramp"),
        ("it`s gone", "it is gone"),
        ("can't   stand", "can not stand"),
        ("won't let go", "will not let go"),
        ("it hasn't gone", "it has not gone"),
        ("gonna faint", "going to faint"),
        ("caf\u00e9", "cafe"),
        ("10 seconds", "ten seconds"),
        ("25 minutes", "twenty five minutes"),
        ("is that 40", "is that forty"),
        ("mile 112", "mile one one two"),
        ("hold\x00on\x07\ttight\n", "hold on tight"),
        ("rock 'n' roll", "rock n roll"),
        ("\u0968\u0967", "\u0968\u0967"),
        ("...!?", ""),
        ("", ""),
        ("'", ""),
    ],
)
def test_written_forms(written: str, words: str) -> None:
    assert normalise(written, SPELLING) == tuple(words.split())


def test_a_long_text_keeps_all_its_words() -> None:
    assert normalise("calf " * 20_000, SPELLING) == ("calf",) * 20_000


def test_one_huge_word_is_one_word() -> None:
    assert len(normalise("a" * 100_000, SPELLING)) == 1


def test_a_language_without_data_keeps_the_words() -> None:
    assert normalise("I can't, 7", Spelling()) == ("i", "cant", "7")


def test_surface_keeps_apostrophes_for_the_recogniser() -> None:
    assert surface("  My Calf\u2019s   GONE! ") == "my calf's gone"


@given(st.text(CHARACTERS, max_size=200))
def test_any_text_becomes_plain_words(text: str) -> None:
    words = normalise(text, SPELLING)
    assert all(word and not word.isspace() and "'" not in word for word in words)


@given(st.text(alphabet="abcdefghij ", max_size=60))
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = normalise(text, Spelling())
    assert normalise(" ".join(once), Spelling()) == once
