"""What the `asr` service hands on of an utterance with words that are not Charley's."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from assistant.asr.hypothesis import UNKNOWN, Alternative, Hypothesis, Word
from assistant.frontends.wyoming.asr import Transcription
from assistant.session.shared import SharedParts
from tests.nlu.test_matcher import MATCHER


class Heard:
    """A recogniser that has heard one utterance."""

    def __init__(self, text: str) -> None:
        self.text = text

    def feed(self, _samples: object) -> list[Hypothesis]:
        """Hear nothing yet."""
        return []

    def finish(self) -> list[Hypothesis]:
        """Return the utterance."""
        words = tuple(Word(word, 0.0, 0.1) for word in self.text.split())
        return [Hypothesis.ended((Alternative(words, 0.0),), 1.0)]


def transcript(text: str) -> str:
    borrowed: Any = Heard(text)
    given: list[Any] = []
    parts = SimpleNamespace(
        borrow_recogniser=lambda: borrowed,
        give_back=given.append,
        language=SimpleNamespace(matcher=MATCHER),
    )
    transcription = Transcription(cast(SharedParts, parts))
    transcription.feed(np.zeros(160, np.int16))
    whole = transcription.finish()
    assert given == [borrowed]
    return whole


def words(parts: Iterable[str]) -> str:
    return " ".join(parts)


@pytest.mark.parametrize("said", ["my chest hurts and i feel faint", "help me", "stop"])
def test_what_is_urgent_gets_through_among_unknown_words(said: str) -> None:
    assert transcript(words((UNKNOWN, "listen", UNKNOWN, said))).endswith(said)


@pytest.mark.parametrize("said", ["my left calf is cramping", "next", "how long left"])
def test_anything_else_among_unknown_words_is_for_somebody_else(said: str) -> None:
    assert transcript(said) == said
    assert transcript(words((UNKNOWN, said, UNKNOWN, UNKNOWN))) == ""
