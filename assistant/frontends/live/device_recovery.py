"""Lost devices: when to look for them again, and what to say about it."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from typing import Protocol

from assistant.audio import stream
from assistant.dialogue.events import DeviceFound, DeviceLost, Event, Xrun
from assistant.errors import AssistantError
from assistant.frontends.live.microphone_input import MicrophoneInput
from assistant.frontends.live.speaker_output import SpeakerOutput, VoiceRecovery

_RETRY_SECONDS = 2.0
"""Time between two attempts to open what was lost."""
_XRUN_SECONDS = 2.0
"""Time between two readings of the counters of lost sound."""
_BUSY_XRUNS, _BUSY_SECONDS = 5, 60.0
"""Losses between two readings that are worth a word, and the time until the next word."""
_START_SECONDS = 10.0
"""Until then everything is still being loaded, and a busy machine is no news."""

_LOST = {"microphone": "fault.microphone", "speaker": "fault.speaker", "voice": "fault.voice"}
_FOUND = {"microphone": "device.found", "speaker": "device.sound", "voice": "fault.voice_back"}
"""The prompts for the screen."""


class _Part(Protocol):
    """Something that can be lost and found."""

    name: str

    def open(self) -> None:
        """Open it again; AssistantError if it is still gone."""

    def close(self, at: float) -> None:
        """Release what was lost."""


class DeviceRecovery:
    """Turns losses of devices and of sound into events, and looks for what is missing."""

    def __init__(
        self,
        speaker: SpeakerOutput,
        microphone: MicrophoneInput,
        lost: queue.SimpleQueue[str],
        report: Callable[[str], None],
    ) -> None:
        """`lost` brings names of parts; `report` shows a prompt, by its key, on the screen."""
        self._speaker = speaker
        self._microphone = microphone
        self._lost = lost
        self._report = report
        parts: tuple[_Part, ...] = (speaker, microphone, VoiceRecovery(speaker))
        self._parts = {part.name: part for part in parts}
        self._retry_at: dict[str, float] = {}
        """What is missing, and when it is looked for again."""
        self._xruns = {speaker.name: 0, microphone.name: 0}
        self._xruns_at, self._busy_at = _XRUN_SECONDS, _START_SECONDS
        """When the counters are read next, and when they may be reported again."""

    def events(self, at: float) -> Iterator[Event]:
        """Yield what was lost and found by now; each is answered before the next is looked at."""
        while not self._lost.empty():
            yield self._lose(self._lost.get(), at)
        for name, retry_at in list(self._retry_at.items()):
            if at >= retry_at and self._find(name, at):
                yield DeviceFound(at, name, self._speaker.output.hold_position_seconds)
        yield from self._lost_sound(at)

    def _lose(self, name: str, at: float) -> DeviceLost:
        self._retry_at[name] = at + _RETRY_SECONDS
        self._parts[name].close(at)
        self._report(_LOST[name])
        return DeviceLost(at, name)

    def _find(self, name: str, at: float) -> bool:
        """Look for what is missing; True if it is back."""
        # Listing the devices again makes a gap in what is spoken: not while somebody listens.
        is_idle_microphone = name == self._microphone.name and self._speaker.is_idle
        if name == self._speaker.name or is_idle_microphone:
            stream.rescan()
        try:
            self._parts[name].open()
        except AssistantError:
            self._retry_at[name] = at + _RETRY_SECONDS
            return False
        del self._retry_at[name]
        self._xruns[name] = 0
        self._report(_FOUND[name])
        return True

    def _lost_sound(self, at: float) -> Iterator[Xrun]:
        if at < self._xruns_at:
            return
        self._xruns_at = at + _XRUN_SECONDS
        for part in (self._speaker, self._microphone):
            times = part.xruns - self._xruns[part.name]
            self._xruns[part.name] = part.xruns
            if times > 0:
                yield Xrun(at, part.name, times)
            if times >= _BUSY_XRUNS and at >= self._busy_at:
                self._busy_at = at + _BUSY_SECONDS
                self._report("fault.busy")
