"""What all conversations of a process share: the model, the voice's cache, the language."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property

from assistant import remembered
from assistant.asr.near_talker import NearTalker
from assistant.audio.pcm import DEFAULT_RATE
from assistant.dialogue.actions import SetVolume
from assistant.dialogue.machine import listening
from assistant.dialogue.state import DialogueState, State
from assistant.playback.timeline import Timeline
from assistant.session import factory, speech_model, voices
from assistant.session.listening import ContextListener
from assistant.settings import Settings
from assistant.tts.synthesiser import Synthesiser

_SAFETY_NOTE = "safety_told"
_IDLE_RECOGNISERS = 4
"""Kept for the next utterance to transcribe: a grammar of everything takes a while to make."""


class SharedParts:
    """The parts that take long to load, once.

    A Vosk model serves any number of recognisers at once, each on a thread of its own.
    """

    def __init__(self, settings: Settings, tell: Callable[[str], None]) -> None:
        """Load everything. Raises AssistantError."""
        self.settings = settings
        self.tell = tell
        self.language = factory.language(settings)
        self.voice = voices.voice(self.language.pack, settings, tell)
        self.voices = voices.by_name(self.language.pack, settings, tell)
        self.model = speech_model.load(self.language.pack, settings)
        factory.tell_unknown_words(self.model, self.language, tell)
        self._memory = threading.Lock()
        self._idle: list[NearTalker] = []

    def prepare(self) -> None:
        """Sample the phrases of every state in advance; slow, for a thread."""
        self.listener().prepare(listening(DialogueState(state=state)) for state in State)
        self.language.keep()
        self.give_back(self.borrow_recogniser())

    def listener(self) -> ContextListener:
        """Return a listener on the shared model."""
        return factory.listener(self.language, self.model)

    def timeline(self, rate: int = DEFAULT_RATE) -> Timeline:
        """Return a timeline with the shared voice."""
        made = Timeline(self.voice, rate, self.settings.lead_in_seconds, self.voices)
        made.perform(SetVolume(self.settings.volume))
        return made

    # For single utterances.

    def borrow_recogniser(self) -> NearTalker:
        """Return a recogniser for whatever may be said to Charley in any state."""
        with self._memory:
            if self._idle:
                return self._idle.pop()
        made = factory.recogniser(self.language.pack, self.model)
        made.listen(self.language.intents.phrases())
        return made

    def give_back(self, recogniser: NearTalker) -> None:
        """Keep a recogniser whose utterance is over for the next one."""
        recogniser.finish()
        recogniser.forget()
        with self._memory:
            if len(self._idle) < _IDLE_RECOGNISERS:
                self._idle.append(recogniser)

    @cached_property
    def speakers(self) -> Mapping[str, Synthesiser]:
        """Charley's voices by name, the usual one first; they keep nothing that they said."""
        named = self.language.pack.voices
        usual = self.settings.voice or named.charley
        chosen = [usual, *(name for name in self.language.pack.voices.choices if name != usual)]
        return {
            name: voices.uncached(self.language.pack, replace(self.settings, voice=name), self.tell)
            for name in chosen
        }

    # What is remembered.

    def is_new(self) -> bool:
        """Return whether nobody here has heard yet that Charley is not a doctor."""
        return remembered.recall(_SAFETY_NOTE) is None

    def note_told(self) -> None:
        """Remember that somebody has heard it."""
        self.remember(_SAFETY_NOTE, "yes")

    @property
    def safety_note(self) -> str:
        """That Charley is not a doctor."""
        return self.language.pack.prompts.line("about.safety").text

    def remember(self, name: str, value: str) -> None:
        """Keep what concerns everyone; a voice or a count that one person chose is not kept."""
        if name == _SAFETY_NOTE:
            with self._memory:
                remembered.remember(name, value)
