"""Measure how quickly Charley is ready, and how quickly it answers.

    python -m bench.timing.latency [--runs 7] [--json]

Cold start: from the start of the process to the first block that could be heard (language, model,
voice and player made, the first grammar set). Answer: from the end of an utterance (the final
hypothesis) to the moment from which the sound card can pull the answer, endpointing not included.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from assistant.asr.hypothesis import RATE
from assistant.dialogue.actions import Action
from assistant.dialogue.events import Started
from assistant.playback.timeline import Timeline
from assistant.playback.timeline_output import TimelineOutput
from assistant.session import factory, speech_model
from assistant.session.spoken import SpokenConversation
from assistant.settings import Settings
from assistant.tts.cache import CachedVoice
from assistant.tts.pyttsx3_voice import Pyttsx3Voice
from bench.hearing.listener import BLOCK
from bench.paths import ROOT
from bench.processes import command

BLOCK_FRAMES = 441
UTTERANCES = ("my left calf is cramping", "okay", "go back one", "why does this happen", "slower")


def ready() -> SpokenConversation:
    """Become able to hear, as `charley run` does without devices, and print so."""
    settings = Settings()
    language = factory.language(settings)
    output = TimelineOutput(factory.timeline(language.pack, settings, print))
    listener = factory.microphone_listener(language, speech_model.load(language.pack, settings))
    talk = factory.voice_session(language, settings, output, listener)
    talk.session.handle(Started(0.0, False))
    talk.tick(0.0, np.zeros(BLOCK, np.int16))
    print("ready", flush=True)
    return talk


def listen() -> None:
    """Listen to ten seconds of noise; print the most megabytes that this process ever held."""
    noise = np.random.default_rng(0).integers(-3000, 3000, 10 * RATE).astype(np.int16)
    ready().tick(0.1, noise)
    unit = 1 if sys.platform == "darwin" else 1024
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)


def cold_start(runs: int) -> list[float]:
    """Return the seconds from process start to listening, one a run."""
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        with subprocess.Popen(
            command("bench.timing.latency", "ready()"), stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as process:
            line = process.stdout.readline() if process.stdout else ""
            seconds.append(time.perf_counter() - began)
        if line.strip() != "ready":
            raise SystemExit("Charley did not get ready; run script/run doctor.")
    return seconds


def memory() -> float:
    """Return the largest megabytes of a process that listened to ten seconds of noise."""
    done = subprocess.run(
        command("bench.timing.latency", "listen()"),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return float(done.stdout.splitlines()[-1])


class NotedTimeline(Timeline):
    """A timeline that notes when it has something to play."""

    def __init__(self, voice: CachedVoice) -> None:
        super().__init__(voice)
        self.ready_at: list[float] = []

    def perform(self, action: Action) -> None:
        """Play, and note the time."""
        super().perform(action)
        if not self.is_idle:
            self.ready_at.append(time.perf_counter())


def answers(runs: int, cache: Path | None) -> list[float]:
    """Return the seconds from a whole utterance to the moment its answer can be played.

    The sound card pulls from another thread, so it plays the first line while the session renders
    the ones behind it.
    """
    settings = Settings()
    language = factory.language(settings)
    seconds = []
    for _ in range(runs):
        timeline = NotedTimeline(CachedVoice(Pyttsx3Voice(), cache))
        session = factory.session(language, settings, TimelineOutput(timeline))
        session.handle(Started(0.0, first_time=False))
        for at, text in enumerate(UTTERANCES, start=1):
            while not timeline.is_idle:
                timeline.read(BLOCK_FRAMES)
            timeline.ready_at.clear()
            began = time.perf_counter()
            session.hear(text, float(at))
            if not timeline.ready_at:
                raise SystemExit(f"“{text}” was not answered.")
            seconds.append(timeline.ready_at[0] - began)
    return seconds


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        answers(1, Path(folder))
        rows = {
            "cold start to listening": cold_start(options.runs),
            "answer, line cached": answers(options.runs, Path(folder)),
            "answer, line rendered now": answers(options.runs, None),
        }
    figures = {
        name: {
            "median_ms": 1000 * statistics.median(values),
            "p95_ms": 1000 * sorted(values)[math.ceil(0.95 * len(values)) - 1],
        }
        for name, values in rows.items()
    }
    megabytes = memory()
    if options.json:
        print(json.dumps({**figures, "memory_mb": megabytes}, indent=1))
        return
    for name, row in figures.items():
        print(f"{name:28} median {row['median_ms']:8.1f} ms   95 % {row['p95_ms']:8.1f} ms")
    print(f"{'memory, all loaded':28} {megabytes:15.0f} MB")


if __name__ == "__main__":
    main()
