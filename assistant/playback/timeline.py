"""The one timeline of sound: what is said, counted and chimed, to the sample.

Whoever plays it pulls with `read`: PortAudio's callback, or a loop in step with a file. Time is the
number of samples pulled, so nothing drifts and nothing here waits. Speech is rendered in `perform`,
never in `read`.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from assistant.audio.earcons import chime
from assistant.audio.pcm import DEFAULT_RATE, FULL_SCALE, Pcm, Samples
from assistant.audio.shaping import resample, trim_silence
from assistant.dialogue.actions import (
    Action,
    Chime,
    Count,
    Hush,
    Interject,
    Say,
    SetVoice,
    SetVolume,
    Wait,
)
from assistant.dialogue.hold import Hold
from assistant.playback.clip import (
    CLEARANCE_SECONDS,
    Clip,
    Word,
    end_of_word,
    interjected,
    line,
    word_bounds,
)
from assistant.playback.count_track import count_word, hold_clip
from assistant.playback.outputs import REACTION_SECONDS
from assistant.tts.synthesiser import Synthesiser

FADE_SECONDS = 0.005
"""Ramp at hush and volume changes: short enough to be at once, too long to click."""
BREATH_SECONDS = 0.3
"""Silence between two spoken lines, which the voice's own trimmed ends no longer have."""
IDLE_SECONDS = 1.0
"""After so much silence a Bluetooth output may have fallen asleep and needs its lead-in."""
ECHO_SECONDS = 1.0
"""How long after it was played a word may still reach the recogniser as an echo."""

INTERJECT_PACES = (1.0, 1.25, 1.5)
"""An answer that does not fit between two counts is spoken faster."""


@dataclass(frozen=True, slots=True)
class Finished:
    """Something came to its end on the timeline."""

    kind: Literal["speech", "hold"]
    """"speech": all that was queued is played; "hold": the last count begins."""
    at_samples: int
    """Position on the timeline; for "speech" the first sample after the end."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A line or a count that began to sound, for captions."""

    text: str
    at_samples: int
    """Position of its first sample on the timeline."""
    counted: bool
    """True for the words of a hold."""


class Timeline:
    """Perform actions on one timeline of samples.

    `perform` is for one thread (the session), `read` for one other (the sound card).
    """

    def __init__(
        self,
        voice: Synthesiser,
        rate: int = DEFAULT_RATE,
        lead_in_seconds: float = 0.0,
        voices: Callable[[str], Synthesiser] | None = None,
    ) -> None:
        """`rate` in hertz; `lead_in_seconds` of silence wake a Bluetooth output that was idle.

        `voices` makes the voice of a name, for SetVoice; None for a timeline that keeps its own.
        """
        self.rate = rate
        self._voice = voice
        self._voices = voices
        self._lead_in_samples = round(lead_in_seconds * rate)
        self._ramp = max(1, round(FADE_SECONDS * rate))
        self._lock = threading.Lock()
        self._queue: deque[Clip] = deque()
        self._tail = np.zeros(0)
        self._position = 0
        self._quiet_since: int | None = None
        self._drained = True
        self._volume = (1.0, 1.0, 0)  # from, to, position where the ramp began
        self._finished: list[Finished] = []
        self._log: deque[tuple[int, int, str]] = deque(maxlen=64)
        self._begun: list[Begun] = []
        self._counts: dict[tuple[str, int], Samples] = {}
        self.on_played: Callable[[Samples], None] | None = None
        """Gets every sample that is played, for an echo canceller; in the sound card's thread."""

    # What the session asks.

    def perform(self, action: Action) -> None:
        """Carry out one action; those that are not about sound do nothing.

        Raises SynthesiserError if a line cannot be spoken; the timeline then stays as it was.
        """
        match action:
            case Say(text=text, pace=pace):
                self._enqueue(line(text, self._spoken(text, pace)))
            case Chime(name=name):
                self._chime(chime(name, self.rate).samples)
            case Count(hold=hold, words=names):
                self._enqueue(hold_clip(hold, names, self.rate, self._count))
            case Wait(seconds=seconds):
                self._enqueue(Clip(max(0, round(seconds * self.rate))))
            case Interject(text=text):
                self._interject(text)
            case Hush(after_word=after_word):
                self._hush(after_word=after_word)
            case SetVolume(volume=volume):
                self._set_volume(volume)
            case SetVoice(name=name):
                self._set_voice(name)

    def speak_anew(self) -> None:
        """Forget the counts as they were spoken: the voice is another, or speaks again."""
        self._counts.clear()

    def take_finished(self) -> list[Finished]:
        """Return what finished since the last call, earliest first."""
        with self._lock:
            finished, self._finished = self._finished, []
            return finished

    def take_begun(self) -> list[Begun]:
        """Return the words that began to sound since the last call, earliest first."""
        with self._lock:
            begun, self._begun = self._begun, []
            return begun

    @property
    def position_samples(self) -> int:
        """Samples pulled so far."""
        return self._position

    @property
    def hold(self) -> Hold | None:
        """The running hold, until its last count begins."""
        with self._lock:
            clip = self._running()
            return clip.hold if clip else None

    @property
    def hold_position_seconds(self) -> float | None:
        """Position in the running hold in seconds; None outside a count."""
        with self._lock:
            clip = self._running()
            return clip.at / self.rate if clip else None

    @property
    def lines_left(self) -> int:
        """How many lines were not heard to their end; one that has just begun leaves two."""
        with self._lock:
            lines = [clip for clip in self._queue if clip.is_line]
            is_fresh = bool(lines) and lines[0].at < round(REACTION_SECONDS * self.rate)
            return len(lines) + is_fresh

    @property
    def is_idle(self) -> bool:
        """True if nothing is left to play."""
        with self._lock:
            return not self._queue

    def speaks_within(self, seconds: float) -> bool:
        """Tell whether a line or a hold is played now, or will be so soon."""
        with self._lock:
            left = round(seconds * self.rate)
            for clip in self._queue:
                if clip.is_line or clip.hold is not None:
                    return True
                left -= clip.left
                if left < 0:
                    break
            return False

    @property
    def due_samples(self) -> int | None:
        """Samples until a hold or all speech finishes next; None if nothing is left to play."""
        with self._lock:
            before = 0
            for clip in self._queue:
                if clip.counting:
                    # It ends with the sample that comes after its whole length.
                    return before + clip.hold_samples - clip.at + 1
                before += clip.left
            return max(1, before) if self._queue else None

    def ahead(self) -> Samples:
        """Return all that is left to play, without playing it."""
        with self._lock:
            clips = [clip.mix(clip.at, clip.left) for clip in self._queue]
            queued = np.concatenate([np.zeros(0), *clips])
            return _as_pcm(_added(queued, self._tail) * self._volume[1])

    def speaking_now(self) -> str:
        """Return the words played now or a moment ago, which an echo may bring back."""
        with self._lock:
            last = self._position + self._ramp
            first = self._position - round(ECHO_SECONDS * self.rate)
            return " ".join(w for span in self._log for w in _words_between(span, first, last))

    # What the sound card asks.

    def read(self, frames: int) -> Samples:
        """Return the next samples of the timeline; silence when there is nothing to play."""
        with self._lock:
            out = self._take(frames)
            count = min(frames, len(self._tail))
            out[:count] += self._tail[:count]
            self._tail = self._tail[count:]
            out *= self._gain(frames)
            self._position += frames
        sound = _as_pcm(out)
        if self.on_played is not None:
            self.on_played(sound)
        return sound

    def _take(self, frames: int) -> npt.NDArray[np.float64]:
        out = np.zeros(frames)
        done = 0
        while self._queue and (done < frames or not self._queue[0].left):
            clip = self._queue[0]
            count = min(frames - done, clip.left)
            out[done : done + count] = clip.mix(clip.at, count)
            self._pass(clip, count, self._position + done)
            done += count
        return out

    def _pass(self, clip: Clip, count: int, position: int) -> None:
        """Note what happens while `count` samples of a clip are played from `position` on."""
        start, end = clip.at, clip.at + count
        for word in clip.words:
            if word.text and start <= word.at < end:
                begins = position + word.at - start
                self._log.append((begins, begins + len(word.samples), word.text))
                self._begun.append(Begun(word.text, begins, counted=word.count))
        # The hold ends with the sample *before* which its whole length was played.
        if clip.hold is not None and start <= clip.hold_samples < end:
            self._finished.append(Finished("hold", position + clip.hold_samples - start))
        clip.at = end
        if end == clip.length:
            self._queue.popleft()
            self._drained = self._drained and not clip.counts
            if not self._queue:
                self._on_drained(position + count)

    def _on_drained(self, position: int) -> None:
        if not self._drained:
            self._finished.append(Finished("speech", position))
        self._drained = True
        self._quiet_since = position

    def _gain(self, frames: int) -> npt.NDArray[np.float64]:
        before, after, began = self._volume
        # A function of the position alone, so that block sizes cannot change a sample.
        passed = np.arange(self._position - began, self._position - began + frames)
        return before + (after - before) * np.clip(passed / self._ramp, 0.0, 1.0)

    # Queue and hush.

    def _chime(self, samples: Samples) -> None:
        """Play an earcon at once: beside what is played, if there is something."""
        if self.is_idle:
            self._enqueue(Clip(len(samples), [Word(0, samples, "")]))
            return
        with self._lock:  # of two at once only the newer one: together they could distort
            self._tail = _added(self._faded(self._tail), samples)

    def _enqueue(self, clip: Clip) -> None:
        with self._lock:
            self._queue.extend(self._gap())
            if self._queue and self._queue[-1].is_line and clip.is_line:
                self._queue.append(Clip(round(BREATH_SECONDS * self.rate), counts=False))
            self._queue.append(clip)

    def _gap(self) -> Iterator[Clip]:
        """Yield the silence that must come before a sound that starts now."""
        if self._queue:
            return
        if len(self._tail):
            yield Clip(len(self._tail), counts=False)
        asleep = self._quiet_since is None or (
            self._position - self._quiet_since >= round(IDLE_SECONDS * self.rate)
        )
        if self._lead_in_samples and asleep:
            yield Clip(self._lead_in_samples, counts=False)

    def _hush(self, *, after_word: bool) -> None:
        with self._lock:
            rest = self._rest_of_word() if after_word else None
            if rest is None:
                self._cut()
            self._queue.clear()
            self._drained = True
            self._quiet_since = self._position
            if rest is not None:
                self._queue.append(rest)

    def _rest_of_word(self) -> Clip | None:
        """Return what is left of the word that sounds now; None between two words."""
        clip = self._queue[0] if self._queue else None
        word = clip.word_now if clip else None
        if clip is None or word is None:
            return None
        ending = clip.mix(clip.at, end_of_word(word, clip.at, self.rate) - clip.at)
        ramp = min(self._ramp, len(ending))
        ending[len(ending) - ramp :] *= np.arange(ramp, 0, -1) / ramp
        samples = np.rint(ending).astype(np.int16)
        return Clip(len(samples), [Word(0, samples, "")], counts=False)

    def _set_volume(self, volume: float) -> None:
        with self._lock:
            now = float(self._gain(1)[0])
            self._volume = (now, min(1.0, max(0.0, volume)), self._position)

    def _cut(self) -> None:
        """Let what sounds now die away over a few milliseconds, beside the timeline."""
        ending = np.zeros(self._ramp)
        if self._queue:
            clip = self._queue[0]
            count = min(self._ramp, clip.left)
            ending[:count] = clip.mix(clip.at, count)
            self._tail = self._faded(_added(ending, self._tail))
            self._log_cut()

    def _faded(self, sound: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the beginning of a sound, dying away."""
        ending = sound[: self._ramp]
        return ending * (np.arange(self._ramp, 0, -1) / self._ramp)[: len(ending)]

    def _log_cut(self) -> None:
        end = self._position + self._ramp
        cut = [
            (first, min(last, end), _said(text, first, last, end))
            for first, last, text in self._log
        ]
        self._log.clear()
        self._log.extend(cut)

    # Speech.

    def _set_voice(self, name: str) -> None:
        if self._voices is not None:
            self._voice = self._voices(name)
            self.speak_anew()

    def _spoken(self, text: str, pace: float = 1.0) -> Samples:
        return resample(self._voice.render(text, pace), self.rate).samples

    def _count(self, text: str, limit_samples: int) -> Samples:
        key = (text, limit_samples)
        if key not in self._counts:
            self._counts[key] = count_word(text, self._voice, self.rate, limit_samples)
        return self._counts[key]

    def _running(self) -> Clip | None:
        """Return the hold that is running."""
        return self._queue[0] if self._queue and self._queue[0].counting else None

    def _interject(self, text: str) -> None:
        if self.hold is None:
            self._put_next(line(text, self._spoken(text)))
            return
        takes = [
            trim_silence(Pcm(self._spoken(text, pace), self.rate)).samples
            for pace in INTERJECT_PACES
        ]
        with self._lock:
            clip = self._running()
            if clip is not None:
                clearance = round(CLEARANCE_SECONDS * self.rate)
                earliest = clip.at + self._ramp
                clip.words = interjected(clip.words, takes, text, earliest, clearance)

    def _put_next(self, clip: Clip) -> None:
        """Queue a line before all that has not begun yet."""
        with self._lock:
            gap = list(self._gap())
            rest = list(self._queue)
            begun = 1 if rest and rest[0].at else 0
            self._queue = deque([*gap, *rest[:begun], clip, *rest[begun:]])


def _as_pcm(mixed: npt.NDArray[np.float64]) -> Samples:
    return np.clip(np.rint(mixed), -FULL_SCALE, FULL_SCALE).astype(np.int16)


def _added(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return two sounds at once, as long as the longer one."""
    both = np.zeros(max(len(one), len(other)))
    both[: len(one)] += one
    both[: len(other)] += other
    return both


def _words_between(span: tuple[int, int, str], first: int, last: int) -> list[str]:
    """Return the words of a line that sound in a stretch, placed by their share of letters."""
    begins, ends, text = span
    at = word_bounds(text, begins, ends)
    return [
        w for w, (a, b) in zip(text.split(), pairwise(at), strict=True) if a <= last and b >= first
    ]


def _said(text: str, first: int, last: int, end: int) -> str:
    """Return the part of a line that was said before it was cut at `end`."""
    return text if last <= end else " ".join(_words_between((first, last, text), first, end))
