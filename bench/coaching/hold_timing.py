"""Measure how exactly a hold is counted.

    python -m bench.coaching.hold_timing [--rounds 10] [--live 1] [--json]

Compares the file that Charley writes and the sound that leaves its speaker (a PulseAudio null sink)
with the usual way: speak a number, wait for it to end, sleep one second.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from assistant.audio import audio_file
from assistant.audio.devices import output_rate
from assistant.audio.pcm import Pcm, from_int16
from assistant.audio.speaker import Speaker
from assistant.dialogue.actions import Count
from assistant.dialogue.hold import Hold
from assistant.playback.count_track import render_hold
from assistant.playback.timeline import Timeline
from assistant.tts.cache import CachedVoice
from assistant.tts.pyttsx3_voice import Pyttsx3Voice
from bench.paths import ROOT
from bench.processes import command
from tests.support import pulse

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
SECONDS = 10
NAMES = {
    "file": "file that Charley writes",
    "speaker": "Charley's speaker, recorded",
    "naive": "speak, wait, sleep(1)",
}
AUDIBLE = 0.02
"""Level, relative to full scale, at which a word counts as begun."""


def count() -> None:
    """Count a hold as Charley does, through the speaker."""
    timeline = Timeline(CachedVoice(Pyttsx3Voice(), None), output_rate())
    timeline.perform(Count(Hold(SECONDS), NUMBERS))
    with Speaker(timeline):
        while not timeline.is_idle:
            time.sleep(0.05)
        time.sleep(0.3)


def count_naively() -> None:
    """Count in the usual way: speak a number, wait for it to end, sleep one second."""
    import sounddevice

    voice = Pyttsx3Voice()
    for word in NUMBERS[1:]:
        spoken = voice.render(word)
        sounddevice.play(spoken.samples, spoken.rate, blocking=True)
        time.sleep(1)


def onsets(sound: Pcm, gap_seconds: float = 0.3) -> list[float]:
    """Return the seconds at which sound begins after a stretch of silence."""
    loud = np.flatnonzero(np.abs(from_int16(sound.samples)) >= AUDIBLE) / sound.rate
    before = np.concatenate([[-np.inf], loud[:-1]])
    return [float(at) for at in loud[loud - before > gap_seconds]]


def file_errors() -> list[float]:
    """Return how late each count of a freshly rendered and written file is, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hold.wav"
        audio_file.write(
            path, render_hold(Hold(SECONDS), NUMBERS, CachedVoice(Pyttsx3Voice(), None))
        )
        begins = onsets(audio_file.read(path))[:SECONDS]
    return [1000 * (at - second) for second, at in enumerate(begins, start=1)]


def speaker_errors(card: pulse.SoundCard, way: Callable[[], None]) -> list[float]:
    """Return how late each count leaves the speaker, relative to the first, in milliseconds."""
    with card.recording() as recorded:
        counting = command("bench.coaching.hold_timing", f"{way.__name__}()")
        subprocess.run(counting, env=card.env, cwd=ROOT, check=True)
    begins = onsets(recorded[0])[:SECONDS]
    return [1000 * (at - begins[0] - second) for second, at in enumerate(begins)]


def figures(errors: list[float]) -> dict[str, Any]:
    """Return one row: the summary of the errors of some holds, one after another."""
    sizes = [abs(error) for error in errors]
    by_count = [errors[n::SECONDS] for n in range(SECONDS)]
    return {
        "counts": len(errors),
        "median_ms": median(sizes),
        "max_ms": max(sizes),
        "end_ms": max(by_count[-1]),
        "lateness_s": [median(late) / 1000 for late in by_count],
    }


def show(name: str, row: dict[str, Any]) -> None:
    """Print one row of the table."""
    print(
        f"{name:44} {row['counts']:6} {row['median_ms']:10.3f} {row['max_ms']:10.3f}"
        f" {row['end_ms']:12.3f}",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10, help="holds to render into files")
    parser.add_argument("--live", type=int, default=1, help="holds to play through PulseAudio")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    found = {"file": figures([e for _ in range(wanted.rounds) for e in file_errors()])}
    missing = "not asked for" if not wanted.live else pulse.missing()
    if missing:
        print(f"nothing played: {missing}", file=sys.stderr)
    else:
        with pulse.sound_card() as card:
            for name, way in (("speaker", count), ("naive", count_naively)):
                errors = [e for _ in range(wanted.live) for e in speaker_errors(card, way)]
                found[name] = figures(errors)
    if wanted.json:
        print(json.dumps(found, indent=1))
        return
    print(f"{'error of the counts, in milliseconds':44} counts     median        max  end of hold")
    for name, row in found.items():
        show(NAMES[name], row)


if __name__ == "__main__":
    main()
