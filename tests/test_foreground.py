"""The person near the microphone is heard, and the talk behind is not."""

from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import assembly
from assistant.foreground import Foreground
from assistant.pcm import Samples, resample
from assistant.recogniser import RATE, Alternative, Hypothesis, Word
from assistant.settings import Settings
from assistant.synthesiser import Pyttsx3Voice

BLOCK = round(0.03 * RATE)
LOUD, QUIET = 8000, 800
"""20 dB apart."""


class Told:
    """A recogniser that hears words of half a second each, when it is told that they are over."""

    def __init__(self, words: Sequence[str] = ()) -> None:
        self.words = words
        self.partial = ""
        self.fed = 0

    def listen(self, phrases: Iterable[str]) -> None:
        """Take any phrases."""

    def feed(self, samples: Samples) -> list[Hypothesis]:
        self.fed += len(samples)
        text, self.partial = self.partial, ""
        return [Hypothesis(text, (), False, self.fed / RATE)] if text else []

    def finish(self) -> list[Hypothesis]:
        words = tuple(Word(w, n / 2, n / 2 + 0.5) for n, w in enumerate(self.words))
        return [Hypothesis.ended((Alternative(words, 0.0),), self.fed / RATE)] if words else []


def sound(*levels: int) -> Samples:
    """Return half a second of hiss at each level."""
    hiss = np.random.default_rng(1).normal(0, 1, (len(levels), RATE // 2))
    return np.asarray(hiss * np.array(levels)[:, None], np.int16).ravel()


def heard(words: Sequence[str], levels: Sequence[int]) -> str:
    ear = Foreground(Told(words))
    ear.feed(sound(*levels))
    (final,) = ear.finish()
    assert final.text.split() == [word.text for word in final.words]
    return final.text


@pytest.mark.parametrize(
    ("words", "levels", "kept"),
    [
        ("to stop", (QUIET, LOUD), "stop"),
        ("stop it", (LOUD, QUIET), "stop"),
        ("is how long left yes", (QUIET, LOUD, LOUD, LOUD, QUIET), "how long left"),
        ("my calf hurts", (LOUD, QUIET, LOUD), "my calf hurts"),
        ("my calf hurts", (LOUD, LOUD, LOUD // 3), "my calf hurts"),
        ("stop", (QUIET,), "stop"),
    ],
)
def test_words_far_quieter_than_the_loudest_are_dropped_at_the_ends(
    words: str, levels: Sequence[int], kept: str
) -> None:
    assert heard(words.split(), levels) == kept


def test_the_whole_stays_as_the_less_likely_alternative() -> None:
    ear = Foreground(Told(("am", "i", "nearly", "there")))
    ear.feed(sound(LOUD, LOUD, LOUD, QUIET))
    (ended,) = ear.finish()
    near, whole = ended.alternatives
    assert (near.text, whole.text) == ("am i nearly", "am i nearly there")
    assert whole.behind > near.behind


def test_clicks_that_stand_alone_hide_no_word() -> None:
    clicks = np.zeros(10 * RATE, np.int16)
    for at in range(0, len(clicks), RATE // 2):
        clicks[at : at + RATE // 100] = LOUD
    ear = Foreground(Told(("how", "long", "left")))
    ear.feed(clicks)
    (ended,) = ear.finish()
    assert ended.text == "how long left"


@given(st.lists(st.sampled_from((LOUD, QUIET)), min_size=1, max_size=8))
def test_loud_words_stay_and_their_order_too(levels: list[int]) -> None:
    words = [f"w{number}" for number in range(len(levels))]
    kept = heard(words, levels).split()
    first = words.index(kept[0])
    assert kept == words[first : first + len(kept)]
    loud = {word for word, level in zip(words, levels, strict=True) if level == LOUD}
    assert loud <= set(kept)


def ended(ear: Foreground, whole: Samples) -> list[Hypothesis]:
    blocks = (whole[at : at + BLOCK] for at in range(0, len(whole), BLOCK))
    return [h for block in blocks for h in ear.feed(block) if h.final]


def test_an_utterance_ends_though_the_talk_behind_goes_on() -> None:
    told = Told(("stop",))
    told.partial = "stop"
    (final,) = ended(Foreground(told), sound(LOUD, QUIET, QUIET, QUIET))
    assert final.text == "stop"
    assert 0.5 < final.at_seconds < 1.5


def test_it_does_not_end_while_the_loudest_talks_or_before_a_word_was_heard() -> None:
    told = Told(("stop",))
    assert ended(Foreground(told), sound(LOUD, QUIET, QUIET, QUIET)) == []
    told.partial = "stop"
    assert ended(Foreground(told), sound(LOUD, LOUD, LOUD // 3, LOUD)) == []


@pytest.mark.model
def test_a_person_is_answered_while_a_quiet_television_talks_on() -> None:
    def said(line: str, voice: str) -> Samples:
        return resample(Pyttsx3Voice(voice, 160).render(line), RATE).samples

    behind = said("and now the weather for the south coast with rain until the evening", "en-gb+f4")
    person = said("how long left", "en-us+m7")
    whole = (behind // 12).astype(np.int16)
    whole[: len(person)] += person
    ear = assembly.recogniser(Settings())
    ear.listen(["how long left", "stop", "next", "it is gone", "carry on", "the weather"])
    first = ended(ear, whole)[0]
    assert first.text == "how long left"
    assert first.at_seconds < len(whole) / RATE - 1
