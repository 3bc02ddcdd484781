"""The one timeline of sound: what is said, counted and chimed, to the sample.

Whoever plays it pulls with `read`: PortAudio's callback, or a loop in step with a file. Time is the
number of samples pulled, so nothing drifts and nothing here waits. Speech is rendered in `perform`,
never in `read`.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from assistant.actions import (
    Action,
    Chime,
    Count,
    Hush,
    Interject,
    Say,
    SetVolume,
    Wait,
)
from assistant.hold import Hold
from assistant.pcm import (
    FULL_SCALE,
    Pcm,
    Samples,
    fade,
    lift_onset,
    resample,
    to_int16,
    trim_silence,
)
from assistant.synthesiser import Synthesiser

DEFAULT_RATE = 22050

FADE_SECONDS = 0.005
"""Ramp at hush and volume changes: short enough to be at once, too long to click."""
CLEARANCE_SECONDS = 0.03
"""Least silence between two words of a hold."""
CHIME_GAP_SECONDS = 0.1
"""Silence between the last count and the end chime."""
BREATH_SECONDS = 0.3
"""Silence between two spoken lines, which the voice's own trimmed ends no longer have."""
IDLE_SECONDS = 1.0
"""After so much silence a Bluetooth output may have fallen asleep and needs its lead-in."""
ECHO_SECONDS = 1.0
"""How long after it was played a word may still reach the recogniser as an echo."""

COUNT_PACES = (1.0, 1.3, 1.7, 2.2)
INTERJECT_PACES = (1.0, 1.25, 1.5)
COUNT_ONSET = 0.1
"""A count begins with its first sample of this level, relative to its loudest."""


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


@dataclass(frozen=True, slots=True, eq=False)
class _Word:
    """Sound at its place in a clip."""

    at: int
    samples: Samples
    text: str
    fixed: bool = False
    """True if it must be heard: an interjection, or the last count."""

    @property
    def end(self) -> int:
        return self.at + len(self.samples)


@dataclass(slots=True, eq=False)
class _Clip:
    """One entry of the queue: words on a stretch of silence."""

    length: int
    words: list[_Word] = field(default_factory=list)
    key: str = ""
    hold: Hold | None = None
    hold_samples: int = 0
    counts: bool = True
    """False for technical silence, whose end nobody waits for."""
    at: int = 0
    """Samples already played."""

    @property
    def is_line(self) -> bool:
        return bool(self.key)

    @property
    def counting(self) -> bool:
        return self.hold is not None and self.at < self.hold_samples

    def mix(self, at: int, count: int) -> npt.NDArray[np.float64]:
        """Return samples from `at` on; they are not marked as played."""
        out = np.zeros(count)
        for word in self.words:
            first, last = max(word.at, at), min(word.end, at + count)
            if first < last:
                out[first - at : last - at] += word.samples[first - word.at : last - word.at]
        return out


# --- What a hold is made of ----------------------------------------------------------------------


def count_word(text: str, voice: Synthesiser, rate: int, limit_samples: int) -> Samples:
    """Return a spoken number whose first sample is its audible onset, at most so long."""
    for pace in COUNT_PACES:
        word = _sharp(voice.render(text, pace), rate)
        if len(word) <= limit_samples:
            return word.samples
    return fade(Pcm(word.samples[:limit_samples], rate), out_seconds=0.01).samples


def _sharp(spoken: Pcm, rate: int) -> Pcm:
    """Return the word with its onset lifted and cut clean, so that its beat is where it begins."""
    lifted = lift_onset(trim_silence(resample(spoken, rate)))
    return fade(trim_silence(lifted, onset=COUNT_ONSET), out_seconds=FADE_SECONDS)


def _hold_clip(
    hold: Hold, names: Sequence[str], rate: int, sound: Callable[[str, int], Samples]
) -> _Clip:
    """Lay a hold out: counts on their cues, the end chime behind the last one."""
    limit = max(1, round((hold.beat - CLEARANCE_SECONDS) * rate))
    words = [
        _Word(cue.at_samples, sound(names[cue.number], limit), names[cue.number])
        for cue in hold.cues(rate)
    ]
    length = hold.length_samples(rate)
    if words:
        words[-1] = _Word(words[-1].at, words[-1].samples, words[-1].text, fixed=True)
        length = words[-1].end + round(CHIME_GAP_SECONDS * rate)
    end = _Word(length, chime("end", rate).samples, "", fixed=True)
    return _Clip(end.end, [*words, end], hold=hold, hold_samples=hold.length_samples(rate))


def render_hold(
    hold: Hold, names: Sequence[str], voice: Synthesiser, rate: int = DEFAULT_RATE
) -> Pcm:
    """Return a whole hold as sound: counts exactly on their cues, then the end chime.

    `names` are the spoken number words; the index is the number.
    """
    clip = _hold_clip(hold, names, rate, lambda text, limit: count_word(text, voice, rate, limit))
    return Pcm(clip.mix(0, clip.length).astype(np.int16), rate)


CHIMES: dict[str, tuple[tuple[float, float, float], ...]] = {
    # (hertz, begins at seconds, loudness); rising is "go on", falling is "I wait".
    "heard": ((880.0, 0.0, 0.12),),
    "missed": ((392.0, 0.0, 0.12),),
    "quiet": ((587.3, 0.0, 0.10), (440.0, 0.14, 0.10)),
    "end": ((659.3, 0.0, 0.16), (880.0, 0.16, 0.16)),
}
NOTE_SECONDS = 0.32


def chime(name: str, rate: int = DEFAULT_RATE) -> Pcm:
    """Return one of the four earcons; raises KeyError for another name."""
    notes = CHIMES[name]
    note_samples = round(NOTE_SECONDS * rate)
    out = np.zeros(round(notes[-1][1] * rate) + note_samples)
    time = np.arange(note_samples) / rate
    envelope = np.minimum(time / 0.008, 1.0) * np.exp(-time / 0.07)
    for hertz, begins_seconds, loudness in notes:
        # A little of the octave lets small loudspeakers carry it.
        wave = np.sin(2 * np.pi * hertz * time) + 0.25 * np.sin(4 * np.pi * hertz * time)
        first = round(begins_seconds * rate)
        out[first : first + note_samples] += loudness * envelope * wave
    return fade(Pcm(to_int16(out), rate), out_seconds=0.02)


# --- The player ----------------------------------------------------------------------------------


class Player:
    """Perform actions on one timeline of samples.

    `perform` is for one thread (the session), `read` for one other (the sound card).
    """

    def __init__(
        self, voice: Synthesiser, rate: int = DEFAULT_RATE, lead_in_seconds: float = 0.0
    ) -> None:
        """`rate` in hertz; `lead_in_seconds` of silence wake a Bluetooth output that was idle."""
        self.rate = rate
        self._voice = voice
        self._lead_in_samples = round(lead_in_seconds * rate)
        self._ramp = max(1, round(FADE_SECONDS * rate))
        self._lock = threading.Lock()
        self._queue: deque[_Clip] = deque()
        self._tail = np.zeros(0)
        self._position = 0
        self._quiet_since: int | None = None
        self._drained = True
        self._volume = (1.0, 1.0, 0)  # from, to, position where the ramp began
        self._finished: list[Finished] = []
        self._log: deque[tuple[int, int, str]] = deque(maxlen=64)
        self._begun: list[Begun] = []
        self._counts: dict[tuple[str, int], Samples] = {}

    # What the session asks.

    def perform(self, action: Action) -> None:
        """Carry out one action; those that are not about sound do nothing.

        Raises SynthesiserError if a line cannot be spoken; the timeline then stays as it was.
        """
        match action:
            case Say(key=key, text=text, pace=pace):
                self._enqueue(_line(key, text, self._spoken(text, pace)))
            case Chime(name=name):
                sound = chime(name, self.rate)
                self._enqueue(_Clip(len(sound), [_Word(0, sound.samples, "")]))
            case Count(hold=hold, words=names):
                self._enqueue(_hold_clip(hold, names, self.rate, self._count))
            case Wait(seconds=seconds):
                self._enqueue(_Clip(max(0, round(seconds * self.rate))))
            case Interject(key=key, text=text):
                self._interject(key, text)
            case Hush():
                self._hush()
            case SetVolume(volume=volume):
                self._set_volume(volume)

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
    def hold_seconds(self) -> float | None:
        """Position in the running hold; None outside one."""
        with self._lock:
            clip = self._running()
            return clip.at / self.rate if clip else None

    @property
    def is_idle(self) -> bool:
        """True if nothing is left to play."""
        with self._lock:
            return not self._queue

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
        return np.clip(np.rint(out), -FULL_SCALE, FULL_SCALE).astype(np.int16)

    def _take(self, frames: int) -> npt.NDArray[np.float64]:
        out = np.zeros(frames)
        done = 0
        while self._queue and (done < frames or not self._left(self._queue[0])):
            clip = self._queue[0]
            count = min(frames - done, self._left(clip))
            out[done : done + count] = clip.mix(clip.at, count)
            self._pass(clip, count, self._position + done)
            done += count
        return out

    @staticmethod
    def _left(clip: _Clip) -> int:
        return clip.length - clip.at

    def _pass(self, clip: _Clip, count: int, position: int) -> None:
        """Note what happens while `count` samples of a clip are played from `position` on."""
        start, end = clip.at, clip.at + count
        for word in clip.words:
            if word.text and start <= word.at < end:
                begins = position + word.at - start
                self._log.append((begins, begins + len(word.samples), word.text))
                self._begun.append(Begun(word.text, begins, counted=clip.hold is not None))
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

    def _enqueue(self, clip: _Clip) -> None:
        with self._lock:
            self._queue.extend(self._gap())
            if self._queue and self._queue[-1].is_line and clip.is_line:
                self._queue.append(_Clip(round(BREATH_SECONDS * self.rate), counts=False))
            self._queue.append(clip)

    def _gap(self) -> Iterator[_Clip]:
        """Yield the silence that must come before a sound that starts now."""
        if self._queue:
            return
        if len(self._tail):
            yield _Clip(len(self._tail), counts=False)
        asleep = self._quiet_since is None or (
            self._position - self._quiet_since >= round(IDLE_SECONDS * self.rate)
        )
        if self._lead_in_samples and asleep:
            yield _Clip(self._lead_in_samples, counts=False)

    def _hush(self) -> None:
        with self._lock:
            self._cut()
            self._queue.clear()
            self._drained = True
            self._quiet_since = self._position

    def _set_volume(self, volume: float) -> None:
        with self._lock:
            now = float(self._gain(1)[0])
            self._volume = (now, min(1.0, max(0.0, volume)), self._position)

    def _cut(self) -> None:
        """Let what sounds now die away over a few milliseconds, beside the timeline."""
        ending = np.zeros(self._ramp)
        if self._queue:
            clip = self._queue[0]
            count = min(self._ramp, self._left(clip))
            ending[:count] = clip.mix(clip.at, count)
            ending *= np.arange(self._ramp, 0, -1) / self._ramp
            ending[: len(self._tail)] += self._tail
            self._tail = ending
            self._log_cut()

    def _log_cut(self) -> None:
        end = self._position + self._ramp
        cut = [
            (first, min(last, end), _said(text, first, last, end))
            for first, last, text in self._log
        ]
        self._log.clear()
        self._log.extend(cut)

    # Speech.

    def _spoken(self, text: str, pace: float = 1.0) -> Samples:
        return resample(self._voice.render(text, pace), self.rate).samples

    def _count(self, text: str, limit_samples: int) -> Samples:
        key = (text, limit_samples)
        if key not in self._counts:
            self._counts[key] = count_word(text, self._voice, self.rate, limit_samples)
        return self._counts[key]

    def _running(self) -> _Clip | None:
        """Return the hold that is running."""
        return self._queue[0] if self._queue and self._queue[0].counting else None

    def _interject(self, key: str, text: str) -> None:
        if self.hold is None:
            self._put_next(_line(key, text, self._spoken(text)))
            return
        takes = [
            trim_silence(Pcm(self._spoken(text, pace), self.rate)).samples
            for pace in INTERJECT_PACES
        ]
        with self._lock:
            clip = self._running()
            if clip is not None:
                clearance = round(CLEARANCE_SECONDS * self.rate)
                clip.words = _laid(clip.words, takes, text, clip.at + self._ramp, clearance)

    def _put_next(self, clip: _Clip) -> None:
        """Queue a line before all that has not begun yet."""
        with self._lock:
            gap = list(self._gap())
            rest = list(self._queue)
            begun = 1 if rest and rest[0].at else 0
            self._queue = deque([*gap, *rest[:begun], clip, *rest[begun:]])


def _line(key: str, text: str, samples: Samples) -> _Clip:
    return _Clip(len(samples), [_Word(0, samples, text)], key=key)


def _laid(
    words: list[_Word], takes: list[Samples], text: str, earliest: int, clearance: int
) -> list[_Word]:
    """Return a hold's words with an interjection in the next gap.

    The first take that fits before the next word is used; if none does, the first one that covers
    no fixed word, and the counts under it are dropped. Words are never late and never overlap; what
    would cover the last count is not said at all.
    """
    start = max([earliest, *(w.end + clearance for w in words if w.fixed and w.at < earliest)])
    for word in words:
        begun = word.at < earliest or word.text in ("",)
        if (begun or word.fixed) and word.at < start + clearance and word.end + clearance > start:
            start = word.end + clearance
    for may_cover in (False, True):
        for samples in takes:
            end = start + len(samples) + clearance
            under = [w for w in words if w.at < end and w.end + clearance > start]
            if not under or (may_cover and not any(w.fixed for w in under)):
                kept = [w for w in words if w not in under]
                return sorted([*kept, _Word(start, samples, text, True)], key=lambda w: w.at)
    return words


def _words_between(span: tuple[int, int, str], first: int, last: int) -> list[str]:
    """Return the words of a line that sound in a stretch, placed by their share of letters."""
    begins, ends, text = span
    words = text.split()
    bounds = np.cumsum([0, *(len(word) + 1 for word in words)])
    at = begins + bounds * ((ends - begins) / max(1, bounds[-1]))
    return [w for w, a, b in zip(words, at, at[1:], strict=False) if a <= last and b >= first]


def _said(text: str, first: int, last: int, end: int) -> str:
    """Return the part of a line that was said before it was cut at `end`."""
    return text if last <= end else " ".join(_words_between((first, last, text), first, end))
