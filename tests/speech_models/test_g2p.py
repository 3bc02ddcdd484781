"""How unknown words are guessed from their letters, and how that is learned."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from assistant.speech_models import g2p
from assistant.speech_models.g2p import Letters
from assistant.speech_models.lexicon import cmudict
from models.training import g2p as learner


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Letters:
    """Return a model of a language whose letters are its phones, but for "ph"."""
    sounds = {"a": "AA", "p": "P", "t": "T", "i": "IY", "s": "S"}
    words = ["tap", "pat", "pit", "tip", "tapas", "pita", "sit", "spat", "patti", "tsip"]
    said = {word: (tuple(sounds[letter] for letter in word),) for word in words}
    said |= {"phat": (("F", "AA", "T"),), "phis": (("F", "IY", "S"),), "saph": (("S", "AA", "F"),)}
    path = tmp_path_factory.mktemp("letters") / "small.npz"
    learner.learn({word: said[word] for word in said for _ in range(3)}, path)
    return Letters.load(path)


def test_a_word_never_seen_is_said(small: Letters) -> None:
    assert small.guesses("sap")[0] == ("S", "AA", "P")


def test_two_letters_may_be_one_phone() -> None:
    scores = learner.logarithms({("p", ("F",)): 1, ("h", ()): 1, ("a", ("AA",)): 1})
    assert learner.aligned("pha", ("F", "AA"), scores) == (
        ("p", ("F",)),
        ("h", ()),
        ("a", ("AA",)),
    )


def test_too_many_phones_for_the_letters_are_left_out() -> None:
    assert learner.aligned("a", ("EY", "B", "IY"), {}) is None


def test_letters_without_a_unit_are_passed_over(small: Letters) -> None:
    assert small.guesses("t-a9p") == small.guesses("tap")
    assert small.guesses("123") == ()


def test_the_distance_counts_changes() -> None:
    assert learner.distance(("K", "AE", "T"), ("K", "AH", "T", "S")) == 2


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("knobble", "N AA B AH L"),
        ("rephotograph", "R IY F OW T AH G R AE F"),
        ("quinoa", "K W IH N OW AH"),
    ],
)
def test_english_is_guessed_well(word: str, phones: str) -> None:
    assert tuple(phones.split()) in g2p.guesses(word)


def test_the_dictionary_itself_is_nearly_always_guessed() -> None:
    """It was learned from: a broken file, or one of another order, would show here."""
    words = {word: said for word, said in cmudict().items() if zlib.crc32(word.encode()) % 400 == 0}
    phones_wrong, _, _ = learner.errors(g2p.guesses, words)
    assert phones_wrong < 5


def test_what_is_saved_is_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    shares = {"\u0100": 0.5, "^\u0100": 0.25, "^": 1e-9}
    learner.save([("a", ("AA", "B"))], shares, {"^": 0.5}, path)
    read = Letters.load(path)
    assert read.units == {"a": (("\u0100", ("AA", "B")),)}
    assert read.scores["^\u0100"] == pytest.approx(-1.386, abs=0.07)
    assert read.retreats["^"] == pytest.approx(-0.693, abs=0.07)
