"""A short conversation at a sound card of some rate and channel count, and its result."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

from assistant.audio.pcm import Pcm
from assistant.session import factory, voices
from assistant.settings import Settings
from tests.support import pulse
from tests.support.listening import place
from tests.support.process import Process
from tests.support.runner import says as speak
from tests.support.stage import PACK

_TRIES = 3
_PATIENCE_SECONDS = 12.0
_BEGUN_SECONDS = 1.2
CRAMP, STOP = "my left calf is cramping", "stop"

NATIVE = """
import sounddevice
def only(check):
    def checked(samplerate=None, channels=None, **more):
        if (samplerate, channels) != ({rate}, {channels}):
            raise sounddevice.PortAudioError("Invalid sample rate", -9997)
        check(samplerate=samplerate, channels=channels, **more)
    return checked
sounddevice.check_input_settings = only(sounddevice.check_input_settings)
sounddevice.check_output_settings = only(sounddevice.check_output_settings)
query = sounddevice.query_devices
def queried(*words):
    found = query(*words)
    for device in [found] if isinstance(found, dict) else found:
        device["default_samplerate"] = {rate}.0
    return found
sounddevice.query_devices = queried
"""
"""Makes every device refuse other rates and channels than its own, as hardware does without a sound
server: the program then opens it so, and changes the rate itself."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of the conversation."""

    cramp: bool
    """The cramp was understood, with side and muscle."""
    stop: bool
    """The stop in the middle of what Charley said was, too."""
    spoken: bool
    """Charley's answer is in what the speaker played."""

    @property
    def is_whole(self) -> bool:
        """True if nothing was lost."""
        return self.cramp and self.stop and self.spoken


def converse(folder: Path, rate: int, channels: int, *, native: bool) -> Outcome:
    """Say a cramp and a stop to the real program; `native` lets it change the rate itself."""
    code = NATIVE.format(rate=rate, channels=channels) if native else ""
    with pulse.sound_card(rate, channels) as card, card.recording() as recorded:
        charley = Process(card, folder, "--journal-text", code=code)
        try:
            charley.notes(event="Started")
            slots = {"muscle": "calf", "side": "left"}
            cramp = says(charley, card, CRAMP, intent="cramp", slots=slots)
            stop = says(charley, card, STOP, intent="control_stop")
        finally:
            charley.interrupt()
    # The whole line, for its first sentence alone sounds otherwise; and the beginning of that, for
    # the rest may have been cut.
    line = voices.voice(PACK, Settings(), print).render(_first_line())
    begun = Pcm(line.samples[: round(_BEGUN_SECONDS * line.rate)], line.rate)
    with contextlib.suppress(AssertionError):
        place(recorded[0], begun, 0.0, recorded[0].seconds - begun.seconds - 0.1)
        return Outcome(cramp, stop, spoken=True)
    return Outcome(cramp, stop, spoken=False)


def _first_line() -> str:
    """Return what Charley says to a cramp."""
    return factory.language(Settings()).pack.prompts.line("opening.stop").text


def says(charley: Process, card: pulse.SoundCard, text: str, **wanted: object) -> bool:
    """Say something, and again if a busy machine lost some of the sound; True if it is heard."""
    for _ in range(_TRIES):
        speak(card, text)
        end = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < end:
            if any(wanted.items() <= entry.items() for entry in charley.entries()):
                return True
            time.sleep(0.1)
    return False
