"""Listening for what the present state can understand: the grammar of the moment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from assistant.asr.hypothesis import UNKNOWN, Hypothesis, Recogniser
from assistant.audio.pcm import Samples
from assistant.dialogue.actions import Listen
from assistant.nlu.templates import SESSION

_LIKELIER = 3
"""How many times an expected phrase stands in the grammar besides once (bench/hearing)."""
_UNLIKELIER = 95 * (UNKNOWN,)
"""Added to the grammar while nothing runs and most talk is not for Charley. In 80 minutes of
reading, 48 entries in all let 2 routines start and 96 let 1; that costs 1 start in 262."""


class Phrases(Protocol):
    """What knows the phrases of a context: the intents."""

    def phrases(
        self, context: frozenset[str] | None = None, among: frozenset[str] | None = None
    ) -> tuple[str, ...]:
        """Return phrases for the recogniser's grammar, of all intents or among some."""


class ContextListener:
    """A recogniser that follows the conversation's context."""

    def __init__(self, recogniser: Recogniser, vocabulary: Phrases) -> None:
        self._recogniser = recogniser
        self._vocabulary = vocabulary

    def listen(self, to: Listen) -> None:
        """Understand what may be said from the next utterance on, the expected most easily."""
        self._recogniser.listen(self._phrases(to))

    def prepare(self, moments: Iterable[Listen]) -> None:
        """Gather the phrases of moments to come, so that listening to them starts at once."""
        for to in moments:
            self._phrases(to)

    def _phrases(self, to: Listen) -> tuple[str, ...]:
        may_be_said = self._vocabulary.phrases(to.context)
        if SESSION not in to.context:
            may_be_said += _UNLIKELIER
        return may_be_said + _LIKELIER * self._vocabulary.phrases(to.context, to.expects)

    def feed(self, block: Samples) -> list[Hypothesis]:
        """Return the hypotheses that a block of 16 kHz sound completes or changes."""
        return self._recogniser.feed(block)

    def finish(self) -> list[Hypothesis]:
        """End the utterance and return what was heard of it."""
        return self._recogniser.finish()
