"""Push-to-talk: the recogniser hears one utterance after each press, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from assistant.asr.hypothesis import RATE, Hypothesis, Recogniser
from assistant.audio.pcm import Samples

_PATIENCE_SAMPLES = round(8.0 * RATE)
"""After 8 s without a word, whoever pressed has changed their mind."""
_LONGEST_SAMPLES = round(15.0 * RATE)
"""No utterance is longer than 15 s; what goes on is background talk or noise."""


class PushToTalk:
    """A recogniser that is closed until it is asked to listen."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self._is_open = False
        self._is_heard = False
        self._open_samples = 0

    @property
    def is_open(self) -> bool:
        """True while it listens."""
        return self._is_open

    @property
    def is_heard(self) -> bool:
        """True once the utterance, or the one that ended last, has words."""
        return self._is_heard

    def press(self) -> bool:
        """Listen to the next utterance, or stop listening; return whether it listens now."""
        if self._is_open:
            self._recogniser.finish()  # what was said so far is for nobody
        self._is_open, self._is_heard, self._open_samples = not self._is_open, False, 0
        return self._is_open

    def listen(self, phrases: Iterable[str]) -> None:
        """Set the phrases that can be heard from now on."""
        self._recogniser.listen(phrases)

    def feed(self, samples: Samples) -> list[Hypothesis]:
        """Take the next sound, int16 at 16 kHz; return what is new while it listens."""
        if not self._is_open:
            return []
        self._open_samples += len(samples)
        found = self._recogniser.feed(samples)
        self._is_heard = self._is_heard or bool(found)
        if self._open_samples >= (_LONGEST_SAMPLES if self._is_heard else _PATIENCE_SAMPLES):
            found += self.finish()
            self._is_open = False
        if any(hypothesis.final for hypothesis in found):
            self._is_open = False
        return found

    def finish(self) -> list[Hypothesis]:
        """Close the utterance in progress; the stream may go on."""
        return self._recogniser.finish()
