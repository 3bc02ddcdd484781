"""The `asr` service: one utterance as sound, its words back, by Charley's own grammar."""

from __future__ import annotations

from assistant.asr.hypothesis import RATE, Hypothesis, known
from assistant.audio.pcm import Samples
from assistant.nlu.result import Match
from assistant.session.nbest import likeliest
from assistant.session.shared import SharedParts


class Transcription:
    """Decodes one utterance while it arrives."""

    def __init__(self, parts: SharedParts) -> None:
        self._parts = parts
        self._recogniser = parts.borrow_recogniser()
        self._words: list[str] = []
        self.seconds = 0.0
        """Length of the sound so far."""

    def feed(self, samples: Samples) -> str:
        """Take the next sound at 16 kHz; return what became certain, empty for nothing."""
        self.seconds += len(samples) / RATE
        return self._note(self._recogniser.feed(samples))

    def finish(self) -> str:
        """Return its words; with an unknown one among them only if they are urgent, else empty."""
        self._note(self._recogniser.finish())
        self._parts.give_back(self._recogniser)
        whole = " ".join(self._words)
        words = known(whole)
        return words if words == whole or self._is_urgent(words) else ""

    def _is_urgent(self, words: str) -> bool:
        found = self._parts.language.matcher.match(words)
        return isinstance(found, Match) and found.is_urgent

    def _note(self, heard: list[Hypothesis]) -> str:
        understand = self._parts.language.matcher.match
        finals = (likeliest(h, understand, is_idle=False)[0] for h in heard if h.final)
        fresh = " ".join(finals).split()
        self._words += fresh
        return known(" ".join(fresh))
