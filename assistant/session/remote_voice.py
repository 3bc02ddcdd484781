"""One conversation by sound with somebody on the network."""

from __future__ import annotations

import numpy as np

from assistant.asr.hypothesis import RATE
from assistant.audio.pcm import DEFAULT_RATE, Samples
from assistant.dialogue.actions import Action, Hush
from assistant.dialogue.events import (
    DeviceFound,
    Event,
    SpeechFinished,
    Started,
    UtteranceHeard,
    UtteranceMissed,
)
from assistant.dialogue.state import State
from assistant.playback.timeline_output import TimelineOutput
from assistant.session import factory
from assistant.session.hooks import Watch
from assistant.session.shared import SharedParts

_ENDING = np.zeros(RATE, np.int16)
"""Silence that ends an utterance when a satellite stops streaming after it."""


class RemoteVoice:
    """One session with its own listener and timeline.

    `tick` is for one thread at a time; the timeline may be read from another.
    """

    def __init__(
        self, parts: SharedParts, watch: Watch | None = None, rate: int = DEFAULT_RATE
    ) -> None:
        self.timeline = parts.timeline(rate)
        self._answered_at: float | None = None
        self._watch = watch
        self._parts = parts
        self._spoken = factory.voice_session(
            parts.language,
            parts.settings,
            TimelineOutput(self.timeline),
            parts.listener(),
            watch=self._noted,
            remember=parts.remember,
            # A satellite's microphone hears its loudspeaker.
            own_words=self.timeline.speaking_now,
        )
        self._session = self._spoken.session
        self._last_at = 0.0

    @property
    def is_coaching(self) -> bool:
        """True while a routine or a line is running."""
        now = self._session.now
        return now.state is not State.IDLE or now.speaking

    def take_answered(self) -> float | None:
        """Return when an utterance was answered, if one was since the last call."""
        answered_at, self._answered_at = self._answered_at, None
        return answered_at

    def begin(self, at: float) -> None:
        """Begin: with the welcome if nobody knows Charley yet, else without a word.

        A satellite may come back at night.
        """
        is_new = self._parts.is_new()
        self._session.handle(Started(at, first_time=is_new))
        if not is_new:
            self.timeline.perform(Hush())
            self._session.handle(SpeechFinished(at))

    def tick(self, at: float, block: Samples | None = None) -> None:
        """Answer everything up to a time in seconds, a block of sound at 16 kHz included."""
        # Times come from several threads and must not run backwards.
        self._last_at = max(at, self._last_at)
        self._spoken.tick(self._last_at, block)

    def end_utterance(self, at: float) -> None:
        """The microphone was closed: what was being said is over."""
        self.tick(at, _ENDING)

    def found_again(self, at: float) -> None:
        """The satellite is there again, after a while in which it heard and said nothing."""
        self._session.handle(DeviceFound(at, "microphone"))

    def _noted(self, event: Event, actions: tuple[Action, ...]) -> None:
        if isinstance(event, UtteranceHeard | UtteranceMissed):
            self._answered_at = event.at
        if self._watch:
            self._watch(event, actions)
