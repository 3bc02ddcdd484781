"""What the timeline's voice says, in the timeline's rate: lines, counts, answers within a hold."""

from __future__ import annotations

from collections.abc import Callable

from assistant.audio.pcm import Pcm, Samples
from assistant.audio.shaping import resample, trim_silence
from assistant.playback.count_track import count_word
from assistant.tts.synthesiser import Synthesiser

INTERJECT_PACES = (1.0, 1.25, 1.5)
"""An answer that does not fit between two counts is spoken faster."""


class Speech:
    """Renders text with a voice that may change, and keeps the counts of a hold.

    All raise SynthesiserError if the voice cannot speak.
    """

    def __init__(
        self, voice: Synthesiser, rate: int, voices: Callable[[str], Synthesiser] | None
    ) -> None:
        """`rate` in hertz; `voices` makes the voice of a name, None to keep the first one."""
        self._voice = voice
        self._rate = rate
        self._voices = voices
        self._counts: dict[tuple[str, int], Samples] = {}

    def choose_voice(self, name: str) -> None:
        """Speak with another voice from now on."""
        if self._voices is not None:
            self._voice = self._voices(name)
            self.forget_counts()

    def forget_counts(self) -> None:
        """Render the counts again: the voice is another, or speaks again."""
        self._counts.clear()

    def line(self, text: str, pace: float = 1.0) -> Samples:
        """Return a spoken line; `pace` 0.8 is slower."""
        return resample(self._voice.render(text, pace), self._rate).samples

    def count(self, text: str, limit_samples: int) -> Samples:
        """Return a spoken number that begins with its onset, at most so many samples long."""
        key = (text, limit_samples)
        if key not in self._counts:
            self._counts[key] = count_word(text, self._voice, self._rate, limit_samples)
        return self._counts[key]

    def takes(self, text: str) -> list[Samples]:
        """Return an answer at several paces, the slowest first, without silence at its ends."""
        lines = (Pcm(self.line(text, pace), self._rate) for pace in INTERJECT_PACES)
        return [trim_silence(line).samples for line in lines]
