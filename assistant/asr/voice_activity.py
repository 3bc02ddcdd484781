"""The recogniser sleeps while nobody speaks, as WebRTC's voice detector decides at little cost.

No word is lost: what was heard just before a voice was detected is decoded, too, and so is
the silence by which the recogniser detects the end of an utterance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import webrtcvad

from assistant.asr.hypothesis import RATE, Hypothesis, Recogniser, Word
from assistant.audio.pcm import Samples

_FRAME = round(0.03 * RATE)
"""Samples; the longest frame that the detector takes."""
_STRICTNESS = 2
"""0 to 3; at 3 it misses the first sound of some words in noise."""
_BEFORE_SAMPLES = round(0.5 * RATE)
"""Decoded from before the first voice, because "stop" begins with a hiss."""
_AFTER_SAMPLES = round(1.2 * RATE)
"""Decoded after the last voice; an utterance ends after 0.8 s of silence at most (model.conf)."""
_FORGOTTEN_SAMPLES = round(6.0 * RATE)
"""The same while an utterance with words has not ended."""
_NONE: Samples = np.zeros(0, np.int16)


def _joined(one: Samples, other: Samples) -> Samples:
    return np.concatenate([one, other])


class VoiceActivityGate:
    """A recogniser that decodes only where there may be a voice."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self._detector = webrtcvad.Vad(_STRICTNESS)
        self._rest = _NONE
        self._before = _NONE
        self._silent_samples = _AFTER_SAMPLES
        self._is_open = False
        self._is_heard = False
        """True while an utterance has words and has not ended."""
        self._skipped_samples = 0

    @property
    def is_open(self) -> bool:
        """True while the recogniser works."""
        return self._is_open

    def listen(self, phrases: Iterable[str]) -> None:
        """Set the phrases that can be heard from now on."""
        self._recogniser.listen(phrases)

    def feed(self, samples: Samples) -> list[Hypothesis]:
        """Take the next sound, int16 at 16 kHz; return what is new, in the time of all sound."""
        heard = _joined(self._rest, samples)
        whole = len(heard) // _FRAME * _FRAME
        for at in range(0, whole, _FRAME):
            self._look(heard[at : at + _FRAME])
        self._rest = heard[whole:]
        longest = _FORGOTTEN_SAMPLES if self._is_heard else _AFTER_SAMPLES
        self._is_open = self._is_open and self._silent_samples < longest
        return self._decoded(samples) if self._is_open else self._kept(samples)

    def finish(self) -> list[Hypothesis]:
        """Close the utterance in progress; the stream may go on."""
        return self._in_time(self._recogniser.finish())

    def _look(self, frame: Samples) -> None:
        if self._detector.is_speech(frame.tobytes(), RATE):
            self._silent_samples, self._is_open = 0, True
        else:
            self._silent_samples += len(frame)

    def _kept(self, samples: Samples) -> list[Hypothesis]:
        self._before = _joined(self._before, samples)
        self._skipped_samples += max(0, len(self._before) - _BEFORE_SAMPLES)
        self._before = self._before[-_BEFORE_SAMPLES:]
        return []

    def _decoded(self, samples: Samples) -> list[Hypothesis]:
        sound, self._before = _joined(self._before, samples), _NONE
        return self._in_time(self._recogniser.feed(sound))

    def _in_time(self, found: list[Hypothesis]) -> list[Hypothesis]:
        if found:
            self._is_heard = not found[-1].final
        skipped = self._skipped_samples / RATE
        return [_later(hypothesis, skipped) for hypothesis in found]


def _later(hypothesis: Hypothesis, seconds: float) -> Hypothesis:
    def moved(words: tuple[Word, ...]) -> tuple[Word, ...]:
        return tuple(
            replace(w, start_seconds=w.start_seconds + seconds, end_seconds=w.end_seconds + seconds)
            for w in words
        )

    alternatives = tuple(replace(a, words=moved(a.words)) for a in hypothesis.alternatives)
    words, at_seconds = moved(hypothesis.words), hypothesis.at_seconds + seconds
    return replace(hypothesis, words=words, at_seconds=at_seconds, alternatives=alternatives)
