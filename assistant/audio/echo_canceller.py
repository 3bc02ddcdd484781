"""Charley's own voice, taken out of what the microphone hears.

Only loudspeaker mode imports this. An adaptive filter gets every sample that was played, in step
with what was heard, and learns the way from the speaker to the microphone; what it does not take
out is silenced unless it is far louder than that can be, and so a person's.

The filter is our own. As bench/timing/own_voice.py measures, WebRTC's (livekit) settles on wrong
delays and removes people along with the echo; Speex's (pyaec) learns more slowly and has no wheel
for aarch64. Neither reports how much of the echo is left.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from assistant.audio.pcm import FULL_SCALE, Samples
from assistant.audio.shaping import resampler

Wave = npt.NDArray[np.float64]
Spectra = npt.NDArray[np.complex128]

RATE = 16000
"""Hertz of what the microphone hears."""
_HELD_SAMPLES = round(0.025 * RATE)
"""All is looked at so much later: what was played comes out of its resampler up to 22 ms late, and
gaps in it would be new delays to learn, again and again."""
_SLACK_SAMPLES, _MOST_SLACK_SAMPLES = round(0.03 * RATE), round(0.12 * RATE)
"""Where the sound card has taken too little in time, all is later by so much, twice as much the
next time: a little at a time would be one new delay to learn after the other."""
_LOOK_SAMPLES = RATE
"""So much is heard before it is judged whether the reference lies too far ahead."""
_AHEAD_SAMPLES = round(0.25 * RATE)
"""Sound that was played but not asked for yet; more than this is a stream that has slipped."""

# The filter

_BLOCK = RATE // 50
"""It takes 20 ms at a time."""
_PARTS = 26
"""Blocks that an echo lasts, the delay included: half a second."""
_UNCERTAIN = 0.03
"""The mean square that a weight may have before anything is known."""
_KEPT = 0.9995
"""Of what is known, from one block to the next; the way changes when somebody walks by."""
_LEAST_CHANGE = 1e-4
"""So much of a weight's square may change however small it is; of the share that is not kept."""
_NOISE_KEPT = 0.9
_LEAST_NOISE = 1e4
"""Mean square of the noise in a sample that is never undercut: a hiss at -50 dB."""
_DRIFT_STEP = 0.002
_MOST_DRIFT = 200e-6
"""Two sound cards' clocks differ by less."""
_WORSE, _WORSE_KEPT, _WORSE_BLOCKS = 1.12, 0.95, 25
"""A filter that makes the sound louder by so much, for half a second, begins anew: the delay is
another. A person makes what is left as loud as what is heard, but not louder."""
_GOOD = 0.1
_LEAST_LEARNT, _MOST_LEARNT = 150, 500
"""A way is known once it leaves less than so much of the power, after so many blocks of Charley's
voice at the least and at the most: in a noisy room, or without an echo, it never does."""

# The person

_FRAME = RATE // 100
"""Whether a person speaks is looked at every 10 ms."""
_PERSON_DB = -7.0
"""What is left of a person's voice, to the echo that was taken out. In 24 minutes of Charley alone
it is at -30 in the middle, and never above -8 for long; a person as loud as the echo is at -6."""
_LOUD_FRAMES = 50
"""An echo is measured by its loudest moment in so many frames: its end trails off in the room."""
_ALIKE, _ALIKE_FRAMES = 0.5, 6
"""What is left, and for 60 ms so much like what was taken out, is echo: the volume was turned."""
_HISS = 20.0
"""Times the quietest in three seconds; what is no louder than this is noise."""
_HISS_FRAMES = 300
_VOTE_FRAMES = 9
"""More than half of so many frames decide whether a person speaks."""
_AHEAD_FRAMES = 22
"""Sound waits so long to be told, for a word begins before it is known to be a person's: at 14 a
"stop" as loud as the echo was heard as "top"; at 22 of 20 at all levels 16 were heard, not 11."""
_AFTER_FRAMES = 60
"""A person is let through so much longer: the recogniser waits for the end of the utterance, and
would get it later from what is held back."""
_ECHO_FRAMES = 80
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
        self._ready: Samples = np.zeros(_HELD_SAMPLES, np.int16)
        self._slack_samples = _SLACK_SAMPLES
        self._least_ahead = _AHEAD_SAMPLES
        self._looked = 0

    def put(self, samples: Samples) -> None:
        """Take what is being played now."""
        self._played.append(samples)

    def take(self, count: int) -> Samples:
        """Return what was played 25 ms ago at 16 kHz; silence for what has not been played."""
        while self._played:
            self._ready = np.concatenate([self._ready, self._resampled(self._played.popleft())])
        taken, self._ready = self._ready[:count], self._ready[count:]
        self._keep_step(count)
        if len(taken) < count:
            self._ready = np.zeros(self._slack_samples, np.int16)
            self._slack_samples = min(2 * self._slack_samples, _MOST_SLACK_SAMPLES)
        return np.pad(taken, (0, count - len(taken)))

    def _keep_step(self, count: int) -> None:
        """Drop what lies ahead all the time: the microphone has lost sound, or began later."""
        self._least_ahead = min(self._least_ahead, len(self._ready))
        self._looked += count
        if self._looked >= _LOOK_SAMPLES:
            if self._least_ahead >= _AHEAD_SAMPLES:
                self._ready = self._ready[self._least_ahead - self._slack_samples :]
            self._least_ahead, self._looked = len(self._ready), 0


class EchoCanceller:
    """Takes what is being played out of what is heard."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._way = _EchoWay()
        self._person = _Person()
        self._rest: Samples = np.zeros(0, np.int16)
        self._late: Samples = np.zeros(_HELD_SAMPLES, np.int16)

    def clean(self, block: Samples) -> Samples:
        """Return the sound without the echo, int16 at 16 kHz, as far as it is known whose it is.

        A person's comes 25 ms later; of silence, a quarter of a second is always held back.
        """
        new = np.concatenate([self._rest, block])
        whole = len(new) // _BLOCK * _BLOCK
        heard = np.concatenate([self._late, new[:whole]])
        self._rest, self._late = new[whole:], heard[whole:]
        played = self._reference.take(whole)
        frames = [
            frame
            for at in range(0, whole, _BLOCK)
            for frame in self._cleaned(heard[at : at + _BLOCK], played[at : at + _BLOCK])
        ]
        clear = np.clip(np.concatenate([np.zeros(0), *frames]), -FULL_SCALE, FULL_SCALE)
        samples: Samples = np.rint(clear).astype(np.int16)
        return samples

    def _cleaned(self, heard: Samples, played: Samples) -> Iterator[Wave]:
        left, echo = self._way.split(heard.astype(np.float64), played.astype(np.float64))
        is_played, is_known = _is_loud(played), self._way.is_known
        for at in range(0, _BLOCK, _FRAME):
            one = slice(at, at + _FRAME)
            yield from self._person.heard(
                left[one], echo[one], is_played=is_played, is_known=is_known
            )


class _EchoWay:
    """The way of the sound from the speaker to the microphone, learnt while it is played.

    A Kalman filter for each frequency, over blocks of the past: G. Enzner and P. Vary,
    "Frequency-domain adaptive Kalman filter for acoustic echo control in hands-free telephones",
    2006; in parts, F. Kuech, E. Mabande and G. Enzner, 2014. It learns while a person speaks, too:
    what it cannot explain counts as noise. Beyond these, it follows two clocks that drift apart.
    """

    def __init__(self) -> None:
        shape = _PARTS, _BLOCK + 1
        self._played: Wave = np.zeros(2 * _BLOCK)
        self._spectra: Spectra = np.zeros(shape, np.complex128)
        """Of what was played, the latest first."""
        self._noise: Wave = np.zeros(_BLOCK + 1)
        """Power of what is no echo."""
        self._turn = -1j * np.pi * np.arange(_BLOCK + 1) / _BLOCK
        self._drift = 0.0
        """Samples by which the echo comes later from one block to the next."""
        self._silent_blocks = _PARTS
        """Blocks since something was played."""
        self._begin()

    def _begin(self) -> None:
        self._weights: Spectra = np.zeros_like(self._spectra)
        self._uncertain: Wave = np.full(self._spectra.shape, _UNCERTAIN)
        self._heard_power = self._left_power = 0.0
        self._blocks = 0
        """Blocks that were played since."""
        self._is_good = False

    @property
    def is_known(self) -> bool:
        """True once enough of the echo is taken out to tell a person from what is left."""
        return self._blocks > (_LEAST_LEARNT if self._is_good else _MOST_LEARNT)

    def split(self, heard: Wave, played: Wave) -> tuple[Wave, Wave]:
        """Return a block of what was heard in two: what is left, and the echo in it."""
        self._silent_blocks = 0 if _is_loud(played) else self._silent_blocks + 1
        if self._silent_blocks > _PARTS:
            return heard, np.zeros_like(heard)
        self._played = np.concatenate([self._played[_BLOCK:], played])
        self._spectra = np.roll(self._spectra, 1, axis=0)
        self._spectra[0] = np.fft.rfft(self._played)
        self._weights *= np.exp(self._turn * self._drift)
        echo = np.fft.irfft(np.sum(self._spectra * self._weights, axis=0))[_BLOCK:]
        left = heard - echo
        self._learn(left)
        self._follow(left, echo)
        self._blocks += self._silent_blocks == 0
        self._judge(heard, left, echo)
        return left, echo

    def _learn(self, left: Wave) -> None:
        error = np.fft.rfft(np.concatenate([np.zeros(_BLOCK), left]))
        self._noise = _NOISE_KEPT * self._noise + (1 - _NOISE_KEPT) * np.abs(error) ** 2
        # Half of the samples that a spectrum is made of are new.
        power = 0.5 * np.abs(self._spectra) ** 2
        unexplained = np.sum(power * self._uncertain, axis=0) + self._noise
        step = self._uncertain / (unexplained + _LEAST_NOISE * _BLOCK)
        weights = np.fft.irfft(_KEPT * (self._weights + step * np.conj(self._spectra) * error))
        weights[:, _BLOCK:] = 0.0  # of a part, one block; the rest is another part's
        self._weights = np.fft.rfft(weights)
        change = (1 - _KEPT**2) * (np.abs(self._weights) ** 2 + _LEAST_CHANGE)
        self._uncertain = _KEPT**2 * (1 - step * power) * self._uncertain + change

    def _follow(self, left: Wave, echo: Wave) -> None:
        """An echo that comes later leaves its own slope behind."""
        if not (_is_loud(left) and _power(left) < 0.5 * _power(echo)):
            return
        slope = np.gradient(echo)
        late = np.clip(-np.dot(left, slope) / np.dot(slope, slope), -0.2, 0.2)
        most = _MOST_DRIFT * _BLOCK
        self._drift = float(np.clip(self._drift + _DRIFT_STEP * late, -most, most))

    def _judge(self, heard: Wave, left: Wave, echo: Wave) -> None:
        if not _is_loud(echo):
            return
        self._heard_power = _WORSE_KEPT * self._heard_power + _power(heard)
        self._left_power = _WORSE_KEPT * self._left_power + _power(left)
        if self._blocks > _WORSE_BLOCKS:
            self._is_good |= self._left_power < _GOOD * self._heard_power
            if self._left_power > _WORSE * self._heard_power:
                self._begin()


class _Person:
    """Silences what is left while nobody but Charley speaks: faint, and yet there are words in it.

    It tells a person by the loudness of what is left, to that of the echo a moment before.
    """

    def __init__(self) -> None:
        self._echoes = _last(_LOUD_FRAMES)
        self._left = _last(_HISS_FRAMES)
        self._products = [_last(_ALIKE_FRAMES) for _ in range(3)]
        self._votes = _last(_VOTE_FRAMES)
        self._waiting: deque[Wave] = deque()
        self._open_frames = 0
        self._echo_frames = 0

    def heard(self, left: Wave, echo: Wave, *, is_played: bool, is_known: bool) -> list[Wave]:
        """Return the frames about which is decided now; silence if nobody but Charley spoke."""
        self._open_frames -= 1
        self._echo_frames = _ECHO_FRAMES if is_played else self._echo_frames - 1
        self._votes.append(self._is_loud(left, echo) and not self._is_like(left, echo))
        if sum(self._votes) > _VOTE_FRAMES // 2 and is_known:
            self._open_frames = _AFTER_FRAMES
        is_open = self._open_frames >= 0
        if not is_open and self._echo_frames > 0:
            self._waiting.append(left)
            late = len(self._waiting) > _AHEAD_FRAMES
            return [np.zeros_like(self._waiting.popleft())] if late else []
        waited = [frame if is_open else np.zeros_like(frame) for frame in self._waiting]
        self._waiting.clear()
        return [*waited, left]

    def _is_loud(self, left: Wave, echo: Wave) -> bool:
        self._echoes.append(_power(echo))
        self._left.append(_power(left))
        levels = np.array(self._left)
        hiss = _HISS * np.min(levels)
        return bool(np.mean(levels[-3:]) > 10 ** (_PERSON_DB / 10) * (max(self._echoes) + hiss))

    def _is_like(self, left: Wave, echo: Wave) -> bool:
        pairs = (left, left), (echo, echo), (left, echo)
        for past, (one, other) in zip(self._products, pairs, strict=True):
            past.append(float(np.dot(one, other)))
        own, taken, common = (sum(past) for past in self._products)
        return common**2 > _ALIKE**2 * own * taken


def _last(frames: int) -> deque[float]:
    """Return a memory of so many frames, all silent."""
    return deque([0.0] * frames, frames)


def _power(sound: npt.NDArray[np.generic]) -> float:
    return float(np.mean(np.square(sound, dtype=np.float64)))


def _is_loud(sound: npt.NDArray[np.generic]) -> bool:
    return _power(sound) > _SILENT_POWER
