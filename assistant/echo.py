"""Charley's own voice, taken out of what the microphone hears: WebRTC's echo canceller.

Only loudspeaker mode imports this. The canceller gets every sample that was played, in step with
what was heard, and finds the way from speaker to microphone, up to half a second long, by itself.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from assistant.errors import SettingsError
from assistant.pcm import Samples, resampler

RATE = 16000
"""Hertz of what the microphone hears."""
_FRAME = RATE // 100
"""The canceller takes ten milliseconds at a time."""
_LOOK_SAMPLES = RATE
"""So much is heard before it is judged whether the reference lies too far ahead."""
_AHEAD_SAMPLES = round(0.1 * RATE)
"""Sound that was played but not asked for yet; more than this is a stream that has slipped."""
_PERSON_DB = -15.0
"""What the canceller leaves of a person's voice, relative to what was heard; of an echo, less."""
_LOUD_FRAMES = 40
"""An echo is measured by its loudest moment in so many frames: its end trails off in the room. At
20 an end of a word passed for a person's in 10 of 10 places, at 40 in 2 (those of the second
canceller)."""
_FORGOTTEN = 0.005
"""Share of a frame in what is remembered of the two cancellers: a person's word weighs little."""
_CLEARLY_DB = 3.0
"""If the first leaves so much more, the second is heard. Always to hear the quieter of them would
silence persons: one that is lost takes them out too."""
_VOTE_FRAMES = 9
"""More than half of so many frames decide whether a person speaks."""
_AHEAD_FRAMES = 14
"""Sound waits so long, for a word begins before it is known to be a person's: at 10 a
"stop" was heard as "top" in 9 of 25."""
_AFTER_FRAMES = 20
"""A person's voice is let through so much longer."""
_LEARNING_FRAMES = 300
"""So much of Charley's voice must have been heard before a person is told from it."""
_ECHO_FRAMES = 60
"""An echo lasts no longer after the sound."""
_SILENT_POWER = 100.0
"""A frame of samples below it, squared, is silence."""


class Reference:
    """What was played, in step with what is heard.

    `put` is for the sound card's thread, `take` for the one that listens.
    """

    def __init__(self, rate: int) -> None:
        """`rate` in hertz is that of the samples that are put in."""
        self._played: deque[Samples] = deque()
        self._resampled = resampler(rate, RATE, quality="LQ")
        self._ready: Samples = np.zeros(0, np.int16)
        self._least_ahead = _AHEAD_SAMPLES
        self._looked = 0

    def put(self, samples: Samples) -> None:
        """Take what is being played now."""
        self._played.append(samples)

    def take(self, count: int) -> Samples:
        """Return the next samples at 16 kHz; silence for what has not been played."""
        while self._played:
            self._ready = np.concatenate([self._ready, self._resampled(self._played.popleft())])
        taken, self._ready = self._ready[:count], self._ready[count:]
        self._keep_step(count)
        return np.pad(taken, (0, count - len(taken)))

    def _keep_step(self, count: int) -> None:
        """Drop what lies ahead all the time: the microphone has lost sound, or began later."""
        self._least_ahead = min(self._least_ahead, len(self._ready))
        self._looked += count
        if self._looked >= _LOOK_SAMPLES:
            if self._least_ahead >= _AHEAD_SAMPLES:
                self._ready = self._ready[self._least_ahead :]
            self._least_ahead, self._looked = len(self._ready), 0


class EchoCanceller:
    """Takes what is being played out of what is heard, twice: WebRTC's settles on wrong delays.

    In the kitchen of bench/own_voice.py it takes 16 dB out of an echo that comes 275 to 280 ms
    after the reference, and 36 of one 5 ms sooner or later. So a second one gets the reference a
    frame later.
    """

    def __init__(self, reference: Reference) -> None:
        """Raises SettingsError if the package is missing."""
        self._reference = reference
        self._frame, canceller = _webrtc()
        self._first, self._second = canceller(), canceller()
        self._before: Samples = np.zeros(_FRAME, np.int16)
        """What was played a frame ago."""
        self._more_db = 0.0
        """What the first canceller leaves more than the second, lately."""
        self._rest: Samples = np.zeros(0, np.int16)
        self._residue = _Residue()

    def clean(self, block: Samples) -> Samples:
        """Return the sound without the echo, int16 at 16 kHz, 0.14 seconds later."""
        heard = np.concatenate([self._rest, block])
        whole = len(heard) // _FRAME * _FRAME
        self._rest = heard[whole:]
        played = self._reference.take(whole)
        frames = [
            self._cleaned(heard[at : at + _FRAME], played[at : at + _FRAME])
            for at in range(0, whole, _FRAME)
        ]
        return np.concatenate(frames) if frames else heard[:0]

    def _cleaned(self, heard: Samples, played: Samples) -> Samples:
        first = self._cancelled(self._first, heard, played)
        second = self._cancelled(self._second, heard, self._before)
        self._before = played
        more_db = 10 * np.log10(_power(first) / _power(second))
        self._more_db += _FORGOTTEN * (more_db - self._more_db)
        cleaned = second if self._more_db > _CLEARLY_DB else first
        return self._residue.removed(heard, cleaned, is_played=_power(played) > _SILENT_POWER)

    def _cancelled(self, canceller: Any, heard: Samples, played: Samples) -> Samples:
        canceller.process_reverse_stream(self._frame(played))
        frame = self._frame(heard)
        canceller.process_stream(frame)
        return np.frombuffer(frame.data, np.int16).copy()


class _Residue:
    """Silences what the canceller leaves of an echo: faint, and yet the recogniser finds words."""

    def __init__(self) -> None:
        self._heard: deque[float] = deque([0.0] * _LOUD_FRAMES, _LOUD_FRAMES)
        self._left: deque[float] = deque([0.0] * 3, 3)
        self._votes: deque[bool] = deque([False] * _VOTE_FRAMES, _VOTE_FRAMES)
        self._waiting: deque[Samples] = deque([np.zeros(_FRAME, np.int16)] * _AHEAD_FRAMES)
        self._open_frames = 0
        self._echo_frames = 0
        self._unlearnt_frames = _LEARNING_FRAMES

    def removed(self, heard: Samples, cleaned: Samples, *, is_played: bool) -> Samples:
        """Return the frame of 0.14 seconds ago; silence if nobody but Charley spoke."""
        self._waiting.append(cleaned)
        now = self._waiting.popleft()
        self._open_frames -= 1
        if self._is_person(_power(heard), _power(cleaned), is_played=is_played):
            self._open_frames = _AHEAD_FRAMES + _AFTER_FRAMES
        return now if self._open_frames >= 0 else np.zeros_like(now)

    def _is_person(self, heard: float, cleaned: float, *, is_played: bool) -> bool:
        self._heard.append(heard)
        self._left.append(cleaned)
        left = sum(self._left) / len(self._left)
        self._votes.append(left > 10 ** (_PERSON_DB / 10) * max(self._heard))
        self._echo_frames = _ECHO_FRAMES if is_played else self._echo_frames - 1
        self._unlearnt_frames -= is_played
        is_learning = self._unlearnt_frames > 0 and self._echo_frames > 0
        return sum(self._votes) > _VOTE_FRAMES // 2 and not is_learning


def _power(frame: Samples) -> float:
    return float(np.mean(np.square(frame, dtype=np.float64))) + 1.0


def _webrtc() -> tuple[Any, Any]:
    """Return what makes a frame of samples, and what makes a canceller that takes it."""
    try:
        from livekit import rtc
    except ImportError:
        raise SettingsError(
            "Loudspeaker mode needs the package livekit, for WebRTC's echo canceller; install it "
            "with: .venv/bin/python -m pip install livekit (in Charley's folder)."
        ) from None

    def frame(samples: Samples) -> Any:
        return rtc.AudioFrame(samples.tobytes(), RATE, 1, len(samples))

    return frame, lambda: rtc.AudioProcessingModule(echo_cancellation=True)
