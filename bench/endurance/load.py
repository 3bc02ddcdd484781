"""Measure what the running program takes of a core and of memory.

    python -m bench.endurance.load [--seconds 30] [--json]

The real `charley run` on a virtual sound card: idle (nobody speaks), listening (somebody talks
about something else) , and speaking (a hold is counted).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from assistant.audio.pcm import Pcm
from assistant.tts.pyttsx3_voice import Pyttsx3Voice
from bench.hearing.utterances import VOICES
from bench.processes import cpu_seconds, resident_mb
from tests.support import pulse
from tests.support.process import Process

TALK = "The weather was nice that day, so they walked along the river and had lunch on the grass."
SETTLE_SECONDS = 15.0


def babble(seconds: float) -> Pcm:
    """Return somebody talking about something else, for at least this many seconds."""
    spoken = Pyttsx3Voice(VOICES[0], 160).render(TALK)
    times = int(seconds / spoken.seconds) + 1
    return Pcm(np.tile(spoken.samples, times), spoken.rate)


def nothing(_process: Process, _card: pulse.SoundCard, _seconds: float) -> None:
    """Do nothing."""


def talk_on(_process: Process, card: pulse.SoundCard, seconds: float) -> None:
    """Let somebody talk about something else."""
    card.play(babble(seconds))


def hold(process: Process, _card: pulse.SoundCard, _seconds: float) -> None:
    """Bring the conversation to the count of a long hold."""
    process.types("my left calf is cramping")
    process.notes(intent="cramp")
    process.types("skip to the hold")
    process.notes(action="Count")
    time.sleep(6.0)


WAYS: dict[str, tuple[tuple[str, ...], Callable[[Process, pulse.SoundCard, float], None]]] = {
    "idle": ((), nothing),
    "listening": ((), talk_on),
    "speaking": (("--microphone", "none", "--hold", "60"), hold),
}


def measured(name: str, seconds: float) -> dict[str, float]:
    """Return the share of a core in percent and the memory in MB while it does one thing."""
    words, begin = WAYS[name]
    with pulse.sound_card() as card, tempfile.TemporaryDirectory() as folder:
        process = Process(card, Path(folder), *words)
        try:
            process.notes(event="Started")
            time.sleep(SETTLE_SECONDS)
            begin(process, card, seconds)
            before, began = cpu_seconds(process.process.pid), time.monotonic()
            time.sleep(seconds)
            busy = cpu_seconds(process.process.pid) - before
            share = 100 * busy / (time.monotonic() - began)
            return {"core_percent": share, "memory_mb": resident_mb(process.process.pid)}
        finally:
            process.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0, help="of each, 45 at most")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if missing := pulse.missing():
        raise SystemExit(f"nothing played: {missing}")
    found = {name: measured(name, min(45.0, options.seconds)) for name in WAYS}
    if options.json:
        print(json.dumps(found, indent=1))
        return
    for name, row in found.items():
        print(f"{name:10} {row['core_percent']:6.1f} % of a core  {row['memory_mb']:6.0f} MB")


if __name__ == "__main__":
    main()
