"""The microphone with the recogniser; the keyboard where there is no microphone."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack

from assistant.asr.push_to_talk import PushToTalk
from assistant.asr.voice_activity import VoiceActivityGate
from assistant.audio.microphone import Microphone
from assistant.audio.pcm import Samples
from assistant.errors import DeviceError, ModelError
from assistant.frontends.live.speaker_output import SpeakerOutput
from assistant.frontends.live.terminal_keys import is_terminal
from assistant.session import factory, speech_model
from assistant.session.factory import Language
from assistant.session.hooks import Tell
from assistant.session.listening import ContextListener
from assistant.settings import Settings

TICK_SECONDS = 0.05
"""Longest wait for sound or typing before timers and captions are looked at."""


class MicrophoneInput:
    """The microphone with the recogniser, or the keyboard if there is none."""

    name = "microphone"

    def __init__(
        self,
        settings: Settings,
        language: Language,
        opened: ExitStack,
        on_lost: Tell,
        tell: Tell,
    ) -> None:
        self._settings = settings
        self._opened = opened
        self._on_lost = on_lost
        self._typed: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._microphone: Microphone | None = None
        self._is_read = False
        self._cleaned: Callable[[Samples], Samples] = lambda block: block
        self.listener: ContextListener | None = None
        self.talk: PushToTalk | None = None
        """Push-to-talk, if the user wants to be heard that way."""
        try:
            self.open()
            model = speech_model.load(language.pack, settings)
            recogniser = factory.recogniser(language.pack, model)
            factory.tell_unknown_words(model, language, tell)
            if settings.push_to_talk:
                self.talk = PushToTalk(recogniser)
            self.listener = ContextListener(
                self.talk or VoiceActivityGate(recogniser), language.intents
            )
        except (DeviceError, ModelError) as error:
            tell(f"{error} Type to Charley instead, one line at a time.")
            self._let_go()
            self._read_typing()

    def open(self) -> None:
        """Open the microphone; DeviceError if it cannot be."""
        microphone = Microphone(self._settings.microphone, self._on_lost)
        self._microphone = self._opened.enter_context(microphone)

    def close(self, _at: float) -> None:
        """Release a lost microphone; a person at a keyboard can type until it is back."""
        self._let_go()
        if is_terminal() and self.talk is None:  # push-to-talk has its keys
            self._read_typing()

    @property
    def is_awaited(self) -> bool:
        """True while an utterance was asked for by a button."""
        return self.talk is not None and self.talk.is_open

    def forget(self) -> None:
        """Drop what was said before now; from any thread."""
        microphone = self._microphone
        if microphone is not None:
            microphone.forget()

    def press(self) -> str:
        """Begin or end an utterance; return the earcon for what came of it."""
        if self.talk is None or self._microphone is None:
            return "missed"
        return "heard" if self.talk.press() else "quiet"

    def cancel_echo_of(self, speaker: SpeakerOutput) -> None:
        """Remove what the speaker plays from what is heard, from now on."""
        # Only here: with earbuds nothing of it is loaded.
        from assistant.audio.echo_canceller import EchoCanceller, Reference

        reference = Reference(speaker.rate)
        self._cleaned = EchoCanceller(reference).clean
        speaker.on_played(reference.put)

    def _let_go(self) -> None:
        if self._microphone is not None:
            self._microphone.__exit__(None, None, None)
            self._microphone = None

    @property
    def xruns(self) -> int:
        """Times that sound was lost since the microphone was opened."""
        found = self._microphone
        return found.overflows + found.dropped_blocks if found else 0

    @property
    def behind_seconds(self) -> float:
        """Recorded sound that waits to be decoded."""
        return self._microphone.behind_seconds if self._microphone else 0.0

    def _read_typing(self) -> None:
        if not self._is_read:
            self._is_read = True
            threading.Thread(target=self._read, args=(sys.stdin,), daemon=True).start()

    def _read(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._typed.put(line)
        self._typed.put(None)

    def wait(self) -> tuple[Samples | None, str | None]:
        """Return the next sound or typed line, whichever there is; EOFError at the end."""
        if self.listener is not None and self._microphone is not None:
            block = self._microphone.read(TICK_SECONDS)
            return (None if block is None else self._cleaned(block)), None
        try:
            line = self._typed.get(timeout=TICK_SECONDS)
        except queue.Empty:
            return None, None
        if line is None:
            raise EOFError
        return None, line
