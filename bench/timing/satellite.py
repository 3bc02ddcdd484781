"""Measure Charley through the real wyoming-satellite.

    python -m bench.timing.satellite [--rounds 5]

Rhasspy's satellite, from PyPI, on a sound card made of software whose two sides, its speaker and
its microphone, are recorded as one stereo stream. For each command that the satellite may play
through, and each lead with which Charley sends sound ahead: how far counts stand from the whole
second, and from the end of the word "stop", said in the middle of a hold, to the first sample of
the answer.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assistant.audio.pcm import DEFAULT_RATE, Pcm
from assistant.playback.count_track import count_word
from assistant.session import factory, voices
from assistant.settings import Settings
from assistant.tts.cache import CachedVoice
from bench.hearing.utterances import VOICES
from bench.timing.lockstep import CRAMP, TO_THE_HOLD, spoken
from bench.timing.stereo_card import Card, last_audible, sound_card
from tests.support import pulse
from tests.support.listening import counts, place
from tests.support.network import MICROPHONE, SPEAKER, free_port, satellite, serving

STOP = "stop"
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
ANSWER = "Okay. I'm here if you need me."
WELCOME_SECONDS = 12.0
HOLD_SECONDS = 22.0
"""From "skip to the hold" to after its last count."""
RAW = "-q -c 1 -f S16_LE -t raw"
COMMANDS = {
    "pacat": (SPEAKER, MICROPHONE),
    "aplay, small buffer": (
        f"aplay {RAW} -r 22050 --buffer-time=80000 --period-time=20000",
        f"arecord {RAW} -r 16000 --buffer-time=80000 --period-time=20000",
    ),
    "aplay, as in its manual": (f"aplay {RAW} -r 22050", f"arecord {RAW} -r 16000"),
}


@dataclass(frozen=True, slots=True)
class Round:
    """One hold counted to its end, and one that was stopped."""

    count_ms: float
    """The worst count's distance from the whole second."""
    stop_ms: float | None
    """None if the answer was not found."""


class Kitchen:
    """A satellite with Charley behind it, and somebody who talks."""

    def __init__(self, card: Card, voice: CachedVoice) -> None:
        self._card = card
        self._voice = voice
        self._words = [
            Pcm(count_word(name, voice, DEFAULT_RATE, DEFAULT_RATE), DEFAULT_RATE)
            for name in NUMBERS
        ]

    def round(self, number: int) -> Round:
        """Let a hold be counted, then stop the next one."""
        voice = VOICES[number % len(VOICES)]
        first = self._to_the_hold()
        time.sleep(HOLD_SECONDS)
        speaker, _ = self._card.since(first)
        found = counts(speaker, self._words)
        worst = max(abs(1000 * (at - found[0] - n)) for n, at in enumerate(found))
        self._says(VOICES[0], STOP)
        time.sleep(4.0)
        self._to_the_hold()
        time.sleep(6.0)
        first = self._card.frames
        self._says(voice, STOP)
        time.sleep(3.0)
        return Round(worst, self._answered_ms(first))

    def _to_the_hold(self) -> int:
        first = self._card.frames
        self._says(VOICES[0], CRAMP)
        time.sleep(3.0)
        self._says(VOICES[0], TO_THE_HOLD)
        return first

    def _says(self, voice: str, text: str) -> None:
        self._card.says(spoken(voice, text))

    def _answered_ms(self, first: int) -> float | None:
        speaker, microphone = self._card.since(first)
        ends = last_audible(microphone)
        answer = self._voice.render(ANSWER)
        begins = Pcm(answer.samples[: answer.rate], answer.rate)
        with contextlib.suppress(AssertionError):
            return 1000 * (place(speaker, begins, ends - 0.5, ends + 2.0) - ends)
        return None


def rounds(name: str, lead: float, count: int) -> Iterator[Round]:
    """Yield rounds with a satellite's commands and a lead."""
    speaker, microphone = COMMANDS[name]
    port = free_port()
    flags = ("--satellite", f"tcp://127.0.0.1:{port}", "--uri", "tcp://127.0.0.1:0")
    more = ("--health", "", "--lead", str(lead))
    with (
        tempfile.TemporaryDirectory() as folder,
        sound_card(Path(folder)) as card,
        satellite(card.env, port, speaker, microphone),
    ):
        # From the same cache: a voice never renders a line twice to the sample.
        os.environ["XDG_CACHE_HOME"] = folder
        for number in range(count):
            # A new conversation each time: a returning cramp is coached differently.
            with serving(*flags, *more, env={**card.env, "XDG_CACHE_HOME": folder}) as server:
                server.awaits("connected")
                time.sleep(WELCOME_SECONDS)
                kitchen = Kitchen(card, voices.voice(factory.pack(Settings()), Settings(), print))
                try:
                    yield kitchen.round(number)
                except AssertionError as error:
                    print(f"  a round was lost: {error}", file=sys.stderr)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="for each command and lead")
    parser.add_argument("--leads", type=float, nargs="+", default=[0.12])
    parser.add_argument("--commands", nargs="+", choices=[*COMMANDS], default=[*COMMANDS])
    wanted = parser.parse_args()
    if reason := pulse.missing():
        raise SystemExit(reason)
    for name in wanted.commands:
        if not shutil.which(name.split(",")[0]):
            print(f"{name}: not installed (Debian: alsa-utils)")
            continue
        for lead in wanted.leads:
            show(name, lead, list(rounds(name, lead, wanted.rounds)))


def show(name: str, lead: float, found: list[Round]) -> None:
    """Print one row."""
    stops = sorted(r.stop_ms for r in found if r.stop_ms is not None)
    if not found or not stops:
        print(f"{name}, lead {lead:.2f} s: nothing measured")
        return
    print(
        f"{name}, lead {lead:.2f} s: counts at most {max(r.count_ms for r in found):.1f} ms off "
        f"({len(found)} holds); stop median {statistics.median(stops):.0f} ms, "
        f"worst {stops[-1]:.0f} ({len(stops)} of {len(found)})",
        flush=True,
    )


if __name__ == "__main__":
    main()
