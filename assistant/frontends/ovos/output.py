"""What Charley says, as orders for OVOS's audio service: sound files sent ahead, or lines of text.

The service plays a queue of files and can be told to drop it; it takes nothing back and mixes
nothing in. So each output here plays along silently, in step with the clock, and knows at any
moment what is heard: what is new is sent, and what has changed replaces the rest of what was sent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assistant.audio.pcm import Pcm, Samples
from assistant.dialogue.actions import Action, Hush, Interject
from assistant.dialogue.events import Event, HoldFinished, SpeechFinished
from assistant.playback.captions import Caption, CaptionTimeline
from assistant.playback.play_log import Finished
from assistant.playback.timeline import Timeline

_LONGEST_LAG_SECONDS = 5.0
"""Longest lag that is believed; a later timeline has stood still."""


@dataclass(frozen=True, slots=True)
class Play:
    """Queue a stretch of sound after what is queued already."""

    number: int
    """Counts the stretches; `Stretches.began` takes it."""
    pcm: Pcm


@dataclass(frozen=True, slots=True)
class Speak:
    """Queue a line for the device's own voice."""

    text: str


@dataclass(frozen=True, slots=True)
class Cut:
    """Fall silent at once and forget the queue."""


Order = Play | Speak | Cut


class Stretches:
    """The timeline, sent in stretches before it is heard.

    A hold is always within one stretch, so its counts are exact to the sample. An answer between
    two counts is laid in by replacing the rest of the hold.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._origin = 0.0
        """The time of the timeline's sample 0; it moves on while nothing plays."""
        self._sent: Samples = np.zeros(0, np.int16)
        """What was sent and lies ahead of the timeline."""
        self._hushed = False
        self._finished: list[Finished] = []
        self._begins: list[tuple[int, bool]] = []
        """Of each stretch its first sample, and whether it was sent into silence."""
        self._lag_samples = 0
        """How long the service takes to begin, as far as it has reported."""

    def perform(self, action: Action) -> None:
        """Queue, lay in or drop sound as the action asks."""
        self._hushed |= isinstance(action, Hush)
        if isinstance(action, Interject) and not self._timeline.is_idle:
            # It starts when the service starts again, not in what passes meanwhile.
            self._read(self._lag_samples)
        self._timeline.perform(action)

    @property
    def hold_position_seconds(self) -> float | None:
        """Position in the running hold in seconds; None outside a count."""
        return self._timeline.hold_position_seconds

    @property
    def lines_left(self) -> int:
        """How many spoken lines were not heard to their end."""
        return self._timeline.lines_left

    @property
    def next_at(self) -> float | None:
        """When the hold or all speech finishes next; None if nothing is queued."""
        if self._finished:
            return self._time(self._finished[0].at_samples)
        due = self._timeline.due_samples
        return None if due is None else self._time(self._timeline.position_samples + due)

    def advance(self, to: float) -> Event | None:
        """Play up to a time and return what finished first; None if nothing did."""
        while not self._timeline.is_idle and (frames := self._until(to)) > 0:
            self._read(frames)
        if self._timeline.is_idle:
            self._origin = max(self._origin, to - self._timeline.position_samples / self._rate)
        self._finished += self._timeline.take_finished()
        if not self._finished:
            return None
        done = self._finished.pop(0)
        at = self._time(done.at_samples)
        return HoldFinished(at) if done.kind == "hold" else SpeechFinished(at)

    def take(self, at: float) -> list[Order]:
        """Return what the audio service must do now, in its order."""
        ahead, sent, hushed = self._timeline.ahead(), self._sent, self._hushed
        self._sent, self._hushed = ahead, False
        if hushed or not len(sent):
            # Sound begins when it is sent, however late its cause was noticed.
            self._origin = at - self._timeline.position_samples / self._rate
            # No cut into silence: the service would cut what another device says.
            cut = [Cut()] if hushed and len(sent) else []
            return [*cut, *self._play(ahead, 0, into_silence=True)]
        if np.array_equal(ahead[: len(sent)], sent):
            return self._play(ahead, len(sent), into_silence=False)
        # What passes while the service starts again is left out, so the rest keeps its time.
        passed = self._until(at) + self._lag_samples
        return [Cut(), *self._play(ahead, max(0, passed), into_silence=False)]

    def began(self, number: int, at: float) -> None:
        """The audio service begins a stretch: its clock is the timeline's from now on."""
        first, into_silence = self._begins[number]
        lag = at - self._time(first)
        if 0.0 < lag < _LONGEST_LAG_SECONDS:
            self._origin += lag
            if into_silence:
                self._lag_samples = round(lag * self._rate)

    def _read(self, frames: int) -> None:
        self._timeline.read(frames)
        self._timeline.take_begun()  # nobody asks for captions
        self._sent = self._sent[frames:]

    def _play(self, ahead: Samples, start: int, *, into_silence: bool) -> list[Order]:
        fresh = ahead[start:]
        if not len(fresh):
            return []
        number = len(self._begins)
        self._begins.append((self._timeline.position_samples + start, into_silence))
        return [Play(number, Pcm(fresh, self._rate))]

    def _until(self, to: float) -> int:
        """Return the samples from the timeline's position to a time, at most a second."""
        frames = round((to - self._time(self._timeline.position_samples)) * self._rate)
        return min(frames, self._rate)

    def _time(self, samples: int) -> float:
        return self._origin + samples / self._rate

    @property
    def _rate(self) -> int:
        return self._timeline.rate


class Lines(CaptionTimeline):
    """Lines of text for the device's own voice, or for a screen.

    How long each takes is an estimate, so a hold's counts come about once a second, not exactly.
    """

    def __init__(self) -> None:
        super().__init__(self._note)
        self._orders: list[Order] = []

    def _note(self, caption: Caption) -> None:
        if caption.kind != "chime":
            self._orders.append(Speak(caption.text))

    def perform(self, action: Action) -> None:
        """Queue, show or drop lines as the action asks."""
        if isinstance(action, Hush):
            self._orders = [Cut()]
        super().perform(action)

    def take(self, at: float) -> list[Order]:  # noqa: ARG002
        """Return what the audio service must do now, in its order."""
        orders, self._orders = self._orders, []
        return orders

    def began(self, number: int, at: float) -> None:
        """Lines are not numbered, so this changes nothing."""


OvosOutput = Stretches | Lines
"""An output whose sound is made elsewhere."""
