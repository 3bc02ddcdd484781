"""Charley's own voice, removed from what the microphone hears.

Only loudspeaker mode imports this. An adaptive filter gets every sample that was played, in step
with what was heard, and learns the echo path from the speaker to the microphone. What it leaves is
silenced, unless it is so much louder than a residual echo that it must be a person's.

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
"""Delay of the microphone's sound, 25 ms: the resampler returns what was played up to 22 ms late,
and each gap in it would be another delay to learn."""
_SLACK_SAMPLES, _MOST_SLACK_SAMPLES = round(0.03 * RATE), round(0.12 * RATE)
"""Added delay after the sound card has taken too little in time, doubled each time up to the most:
smaller steps would be one new delay to learn after the other."""
_LOOK_SAMPLES = RATE
"""How often it is checked whether the reference is too far ahead: each second."""
_AHEAD_SAMPLES = round(0.25 * RATE)
"""Sound that was played but not asked for yet; more than 0.25 s means that a stream has slipped."""

# The filter

_BLOCK = RATE // 50
"""20 ms, the step of the filter."""
_PARTS = 26
"""Blocks that an echo lasts, including its delay: half a second."""
_UNCERTAIN = 0.03
"""Mean square that is assumed of a weight before anything is learnt."""
_KEPT = 0.9995
"""Share of the weights kept from block to block; the path changes when somebody walks by."""
_LEAST_CHANGE = 1e-4
"""Added to a weight's square where its change is estimated, so that small weights can change."""
_NOISE_KEPT = 0.9
_LEAST_NOISE = 1e4
"""Least mean square of the noise in a sample: a hiss at -50 dB."""
_DRIFT_STEP = 0.002
_MOST_DRIFT = 200e-6
"""The clocks of two sound cards differ by less."""
_WORSE, _WORSE_KEPT, _WORSE_BLOCKS = 1.12, 0.95, 25
"""A filter that makes the sound louder by this factor for half a second starts again: the delay has
changed. A person makes what is left as loud as what is heard, but not louder."""
_GOOD = 0.1
_LEAST_LEARNT, _MOST_LEARNT = 150, 500
"""A path is known once it leaves less than `_GOOD` of the power, after at least `_LEAST_LEARNT`
blocks of Charley's voice; after `_MOST_LEARNT` in any case, for in noise it never does."""

# The person

_FRAME = RATE // 100
"""10 ms, the step in which a person is detected."""
_PERSON_DB = -7.0
"""Least level of a person in what is left, relative to the removed echo. Charley alone leaves less
than -8 dB; a person as loud as the echo is at -6 (bench/timing/own_voice.py)."""
_LOUD_FRAMES = 50
"""The echo is measured by its loudest frame in 0.5 s, because its end trails off in the room."""
_ALIKE, _ALIKE_FRAMES = 0.5, 6
"""What is left is echo if it correlates so much with the removed echo for 60 ms: the volume was
changed."""
_HISS = 20.0
"""Times the quietest frame in three seconds; what is no louder is noise."""
_HISS_FRAMES = 300
_VOTE_FRAMES = 9
"""A person speaks if more than half of the last 9 frames say so."""
_AHEAD_FRAMES = 22
"""How long sound is held back for the decision, 0.22 s: a word begins before it is known to be a
person's, and with less "stop" loses its first sound (bench/timing/own_voice.py)."""
_AFTER_FRAMES = 60
"""How long a person is still let through afterwards, 0.6 s: the recogniser waits for the end of the
utterance, which held back sound would delay."""
_ECHO_FRAMES = 80
"""An echo lasts at most 0.8 s after the sound."""
_SILENT_POWER = 100.0
"""Mean square of a sample below which a frame is silent."""


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
        """Drop what is always ahead: the microphone has lost sound, or began later."""
        self._least_ahead = min(self._least_ahead, len(self._ready))
        self._looked += count
        if self._looked >= _LOOK_SAMPLES:
            if self._least_ahead >= _AHEAD_SAMPLES:
                self._ready = self._ready[self._least_ahead - self._slack_samples :]
            self._least_ahead, self._looked = len(self._ready), 0


class EchoCanceller:
    """Removes what is being played from what is heard."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._path = _EchoPath()
        self._person = _PersonGate()
        self._rest: Samples = np.zeros(0, np.int16)
        self._late: Samples = np.zeros(_HELD_SAMPLES, np.int16)

    def clean(self, block: Samples) -> Samples:
        """Return the sound without the echo, int16 at 16 kHz, as far as it is decided whose it is.

        A person's comes 25 ms later; while nobody speaks, 0.25 s are held back.
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
        left, echo = self._path.split(heard.astype(np.float64), played.astype(np.float64))
        is_played, is_known = _is_loud(played), self._path.is_known
        for at in range(0, _BLOCK, _FRAME):
            one = slice(at, at + _FRAME)
            yield from self._person.heard(
                left[one], echo[one], is_played=is_played, is_known=is_known
            )


class _EchoPath:
    """The echo path from the speaker to the microphone, learnt while something is played.

    A Kalman filter for each frequency, over blocks of the past: G. Enzner and P. Vary,
    "Frequency-domain adaptive Kalman filter for acoustic echo control in hands-free telephones",
    2006; partitioned, F. Kuech, E. Mabande and G. Enzner, 2014. It also learns while a person
    speaks: what it cannot explain counts as noise. Unlike these, it follows clocks that drift.
    """

    def __init__(self) -> None:
        shape = _PARTS, _BLOCK + 1
        self._played: Wave = np.zeros(2 * _BLOCK)
        self._spectra: Spectra = np.zeros(shape, np.complex128)
        """Spectra of what was played, the latest first."""
        self._noise: Wave = np.zeros(_BLOCK + 1)
        """Power of everything but the echo."""
        self._turn = -1j * np.pi * np.arange(_BLOCK + 1) / _BLOCK
        self._drift = 0.0
        """Samples by which the echo is later from one block to the next."""
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
        """True once enough of the echo is removed to distinguish a person from what is left."""
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
        """Estimate the drift: an echo that comes later leaves a residual like its own slope."""
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


class _PersonGate:
    """Silences the residual echo while nobody but Charley speaks: it is faint, but has words in it.

    A person is detected by the level of what is left, relative to the echo a moment before.
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
        """Return the frames that are decided now; silence if nobody but Charley spoke."""
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
