"""A short conversation at a sound card of some rate and some channels, and what came of it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

import pulse
from listening import place
from process import Process
from test_faults import says

from assistant import assembly
from assistant.settings import Settings

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
    for device in found:
        device["default_samplerate"] = {rate}.0
    return found
sounddevice.query_devices = queried
"""
"""Makes every device refuse other rates and channels than its own, as hardware does without a sound
server: the program then opens it so, and changes the rate itself."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

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
        charley = Process(card, folder, code=code)
        try:
            charley.notes(event="Started")
            says(card, CRAMP)
            cramp = _heard(charley, intent="cramp", slots={"muscle": "calf", "side": "left"})
            charley.shows("Stop running") if cramp else None
            says(card, STOP)
            stop = _heard(charley, intent="control_stop")
        finally:
            charley.interrupt()
    line = assembly.voice(Settings(), print).render("Stop running.")
    with contextlib.suppress(AssertionError):
        place(recorded[0], line, 0.0, recorded[0].seconds - line.seconds - 0.1)
        return Outcome(cramp, stop, spoken=True)
    return Outcome(cramp, stop, spoken=False)


def _heard(charley: Process, **wanted: object) -> bool:
    try:
        charley.notes(event="UtteranceHeard", **wanted)
    except AssertionError:
        return False
    return True
