"""A spoken conversation without devices: blocks of microphone and timeline move in step."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache

import numpy as np

from assistant.asr.hypothesis import RATE
from assistant.audio.microphone import BLOCK_SECONDS
from assistant.audio.pcm import DEFAULT_RATE, Samples
from assistant.audio.shaping import resample, trim_silence
from assistant.dialogue.actions import Action
from assistant.dialogue.events import Event, Started
from assistant.dialogue.machine import listening
from assistant.dialogue.state import DialogueState, State
from assistant.nlu.result import Match
from assistant.playback.timeline import Timeline
from assistant.playback.timeline_output import TimelineOutput
from assistant.session import factory, speech_model, voices
from assistant.session.hooks import Watch
from assistant.session.spoken import SpokenConversation
from assistant.settings import Settings
from assistant.tts.pyttsx3_voice import Pyttsx3Voice
from bench.hearing.listener import NotedListener

CRAMP = "my left calf is cramping"
TO_THE_HOLD = "skip to the hold"
WORDS_PER_MINUTE = 160
AUDIBLE = 0.02
"""The end of a word: the last sample at this level, relative to its loudest."""
SETTLE_SECONDS = 1.0
"""Sound that the recogniser gets before the command."""


@cache
def spoken(voice: str, text: str) -> Samples:
    """Return a command as the microphone gets it, from its onset to its audible end."""
    sound = resample(Pyttsx3Voice(voice, WORDS_PER_MINUTE).render(text), RATE)
    return trim_silence(sound, AUDIBLE, AUDIBLE).samples


class Kit:
    """What conversations in lockstep share, because it takes long to load."""

    def __init__(self, block_seconds: float = BLOCK_SECONDS) -> None:
        self.settings = Settings()
        self.language = factory.language(self.settings)
        self.voice = voices.voice(self.language.pack, self.settings, print)
        self.block_seconds = block_seconds
        self.model = speech_model.load(self.language.pack, self.settings)

    def timeline(self) -> Timeline:
        """Return a timeline for one conversation."""
        return factory.timeline(self.language.pack, self.settings, print, voice=self.voice)

    def listener(self) -> NotedListener:
        """Return Charley's listener for one conversation."""
        return NotedListener(self.language, self.model)

    def conversation(
        self,
        timeline: Timeline,
        listener: NotedListener,
        watch: Watch,
        own_words: Callable[[], str] | None = None,
    ) -> SpokenConversation:
        """Return a conversation on both; `own_words` if the microphone hears Charley."""
        output = TimelineOutput(timeline)
        return factory.voice_session(
            self.language, self.settings, output, listener, watch=watch, own_words=own_words
        )

    def wanted(self, text: str, during: str) -> str:
        """Return the intent of a command as if it were typed."""
        state = State.HOLDING if during == "counting" else State.GUIDING
        found = self.language.matcher.match(text, listening(DialogueState(state=state)).context)
        return found.intent if isinstance(found, Match) else "missed"


class Lockstep:
    """One conversation: blocks of microphone sound in, the timeline in step."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self.timeline, self.listener = kit.timeline(), kit.listener()
        self.events: list[tuple[Event, tuple[Action, ...]]] = []
        self._conversation = kit.conversation(
            self.timeline, self.listener, lambda *answered: self.events.append(answered)
        )
        self.session = self._conversation.session
        self._blocks = 0
        self.session.handle(Started(0.0, first_time=False))

    @property
    def now(self) -> float:
        """Seconds of sound so far."""
        return self._blocks * self._kit.block_seconds

    def run(self, seconds: float, sound: Samples | None = None) -> None:
        """Let time pass; the microphone hears a sound and then nothing, or is off if None."""
        size = round(self._kit.block_seconds * RATE)
        blocks = round(seconds / self._kit.block_seconds)
        heard = None if sound is None else np.pad(sound, (0, max(0, size * blocks - len(sound))))
        for number in range(blocks):
            self._blocks += 1
            # A block is complete when its time has passed: what it leads to is heard in the next.
            self.timeline.read(round(self.now * DEFAULT_RATE) - self.timeline.position_samples)
            block = None if heard is None else heard[number * size : (number + 1) * size]
            self._conversation.tick(self.now, block)

    def until(self, during: str, chance: random.Random) -> None:
        """Bring the conversation to the moment when the command is said."""
        self.run(0.3)
        self.session.hear(CRAMP, self.now)
        self.run(0.6)
        if during == "counting":
            self.session.hear(TO_THE_HOLD, self.now)
            while (self.timeline.hold_position_seconds or 0.0) < 0.5:
                self.run(self._kit.block_seconds)
        self.run(chance.uniform(0.2, 2.0))
        silent = np.zeros(chance.randrange(RATE // 2), np.int16)
        self.run(SETTLE_SECONDS, silent)
        self.timeline.take_begun()
        self.events.clear()
        self.listener.heard.clear()
