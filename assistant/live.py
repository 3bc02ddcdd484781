"""The conversation at a microphone and a speaker, in real time; without them, typed and shown."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack

from assistant import assembly
from assistant.actions import Action, SetVolume
from assistant.assembly import Language
from assistant.captions import Caption, CaptionPlayer
from assistant.clock import SystemClock
from assistant.conversation import Ear, Sound, SpokenConversation, TimedOutput
from assistant.devices import Microphone, Speaker, output_rate
from assistant.dialogue import listening
from assistant.errors import AssistantError, DeviceError, ModelError, SynthesiserError
from assistant.events import DeviceFound, DeviceLost, Event, Started
from assistant.pcm import Samples
from assistant.player import Player
from assistant.session import Session
from assistant.settings import Settings, recall, remember
from assistant.turn import Dialogue, State

_TICK_SECONDS = 0.05
"""Longest wait for sound or typing before timers and captions are looked at."""
_RETRY_SECONDS = 2.0
"""A lost device is looked for again this often."""

Show = Callable[[Caption], None]
Tell = Callable[[str], None]
Watch = Callable[[Event, tuple[Action, ...]], None]


def run(settings: Settings, *, show: Show, tell: Tell, watch: Watch | None = None) -> None:
    """Converse until the input ends or Ctrl-C; `tell` gets one sentence about each fallback.

    Raises AssistantError if the language or a setting is broken.
    """
    language = assembly.language(settings)
    with ExitStack() as devices:
        lost: queue.SimpleQueue[str] = queue.SimpleQueue()
        mouth = _Mouth(settings, devices, lost.put, show, tell)
        ear = _Hearing(settings, language, devices, lost.put, tell)
        live = _Live(settings, language, mouth, ear, watch)
        live.converse(lost, tell)


class _Mouth:
    """The speaker with its player, or captions if there is none."""

    def __init__(
        self, settings: Settings, devices: ExitStack, on_lost: Tell, show: Show, tell: Tell
    ) -> None:
        self._settings = settings
        self._devices = devices
        self._on_lost = on_lost
        self._show = show
        self._player: Player | None = None
        self._speaker: Speaker | None = None
        try:
            rate = output_rate(settings.speaker)
            voice = assembly.voice(settings, tell)
            voices = assembly.voices(settings, tell)
            self._player = Player(voice, rate, settings.lead_in_seconds, voices)
            self.open()
        except (DeviceError, SynthesiserError) as error:
            tell(f"{error} Charley shows captions instead.")
            self._player = None
        self.output = self._output()

    def _output(self) -> TimedOutput:
        if self._player is None:
            return CaptionPlayer(self._show)
        self._player.perform(SetVolume(self._settings.volume))
        return Sound(self._player)

    def open(self) -> None:
        """Open the speaker; DeviceError if it cannot be. What was queued goes on playing."""
        if self._player is not None:
            speaker = Speaker(self._player, self._settings.speaker, self._on_lost)
            self._speaker = self._devices.enter_context(speaker)

    def close(self) -> None:
        """Let go of a speaker that was lost."""
        if self._speaker is not None:
            self._speaker.__exit__(None, None, None)
            self._speaker = None

    def own_words(self) -> str:
        """Return what Charley says just now, as far as it can be heard."""
        return self._player.speaking_now() if self._player else ""

    def caption(self) -> None:
        """Show what began to sound since the last call."""
        if self._player is None:
            return
        for begun in self._player.take_begun():
            kind = "count" if begun.counted else "say"
            self._show(Caption(begun.at_samples / self._player.rate, kind, begun.text))


class _Hearing:
    """The microphone with the recogniser, or the keyboard if there is none."""

    def __init__(
        self,
        settings: Settings,
        language: Language,
        devices: ExitStack,
        on_lost: Tell,
        tell: Tell,
    ) -> None:
        self._settings = settings
        self._devices = devices
        self._on_lost = on_lost
        self._typed: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._microphone: Microphone | None = None
        self.ear: Ear | None = None
        try:
            self.open()
            self.ear = Ear(assembly.recogniser(settings), language.intents)
        except (DeviceError, ModelError) as error:
            tell(f"{error} Type to Charley instead, one line at a time.")
            self.close()
            threading.Thread(target=self._read, args=(sys.stdin,), daemon=True).start()

    def open(self) -> None:
        """Open the microphone; DeviceError if it cannot be."""
        microphone = Microphone(self._settings.microphone, self._on_lost)
        self._microphone = self._devices.enter_context(microphone)

    def close(self) -> None:
        """Let go of a microphone that was lost."""
        if self._microphone is not None:
            self._microphone.__exit__(None, None, None)
            self._microphone = None

    def _read(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._typed.put(line)
        self._typed.put(None)

    def wait(self) -> tuple[Samples | None, str | None]:
        """Return the next sound or typed line, whichever there is; EOFError at the end."""
        if self.ear is not None and self._microphone is not None:
            return self._microphone.read(_TICK_SECONDS), None
        try:
            line = self._typed.get(timeout=_TICK_SECONDS)
        except queue.Empty:
            return None, None
        if line is None:
            raise EOFError
        return None, line


class _Live:
    """One session in real time."""

    def __init__(
        self,
        settings: Settings,
        language: Language,
        mouth: _Mouth,
        hearing: _Hearing,
        watch: Watch | None,
    ) -> None:
        self._mouth = mouth
        self._hearing = hearing
        self._clock = SystemClock()
        self._missing: dict[str, float] = {}
        """Lost device to when it is looked for again."""
        ear = hearing.ear
        self._session = Session(
            language.book,
            language.matcher,
            assembly.coaching(settings),
            mouth.output,
            start=assembly.beginning(settings),
            watch=watch,
            listen=ear.listen if ear else None,
            remember=remember,
        )
        self._conversation = SpokenConversation(
            self._session, mouth.output, ear, mouth.own_words if settings.loudspeaker else None
        )

    def converse(self, lost: queue.SimpleQueue[str], tell: Tell) -> None:
        """Run until the input ends."""
        self._session.handle(Started(self._clock.now(), recall("safety_told") is None))
        if self._hearing.ear:  # while the welcome is spoken
            self._hearing.ear.prepare(listening(Dialogue(state=state)) for state in State)
        while True:
            try:
                block, line = self._hearing.wait()
            except EOFError:
                return
            at = self._clock.now()
            self._conversation.tick(at, block)
            if line is not None and line.strip():
                self._session.hear(line, at)
            self._mouth.caption()
            self._mind_devices(lost, tell, at)

    def _mind_devices(self, lost: queue.SimpleQueue[str], tell: Tell, at: float) -> None:
        while not lost.empty():
            device = lost.get()
            self._missing[device] = at
            self._part(device).close()
            tell(f"The {device} is gone; plug it in or switch it on, and Charley goes on.")
            self._session.handle(DeviceLost(at, device))
        for device, retry_at in list(self._missing.items()):
            if at >= retry_at:
                self._look_for(device, tell, at)

    def _look_for(self, device: str, tell: Tell, at: float) -> None:
        try:
            self._part(device).open()
        except AssistantError:
            self._missing[device] = at + _RETRY_SECONDS
            return
        del self._missing[device]
        tell(f"The {device} is there again.")
        self._session.handle(DeviceFound(at, device))

    def _part(self, device: str) -> _Mouth | _Hearing:
        return self._mouth if device == "speaker" else self._hearing
