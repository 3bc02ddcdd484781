"""Measure which output buffer survives a busy machine, and how much latency it costs.

    python -m bench.endurance.xruns [--seconds 10] [--json]

Plays silence through the real speaker path on a virtual sound card, while the machine is busy (two
programs a core that never wait) and while this process is (threads that never release Python's
lock by themselves), and counts how often the sound card ran dry. The buffer delays every cut, so
the smallest that survives is the best.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from unittest.mock import patch

from assistant.audio import speaker
from assistant.audio.devices import output_rate
from assistant.playback.timeline import Timeline
from assistant.tts.pyttsx3_voice import Pyttsx3Voice
from bench.paths import ROOT
from bench.processes import command
from tests.support import pulse

STORES = (0.035, 0.06, 0.1, 0.2)
"""Seconds of sound in the buffer; the first is PortAudio's own choice."""
SWITCHES = (0.005, 0.001)
"""Python's own switch interval, and Charley's (assistant/frontends/live/loop.py)."""


def play(store: float, switch: float, busy: int, seconds: float) -> None:
    """Play silence next to busy threads; print the underflows and the buffer in seconds."""
    sys.setswitchinterval(switch)
    over = threading.Event()

    def burn() -> None:
        while not over.is_set():
            sum(range(1000))

    for _ in range(busy):
        threading.Thread(target=burn, daemon=True).start()
    timeline = Timeline(Pyttsx3Voice(), output_rate())
    with (
        patch.object(speaker, "SPEAKER_LATENCY_SECONDS", store),
        speaker.Speaker(timeline) as opened,
    ):
        over.wait(seconds)
        over.set()
        print(opened.underflows, opened.latency_seconds)


@contextlib.contextmanager
def busy_machine(programs: int) -> Iterator[None]:
    """Keep busy programs running."""
    running = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(programs)
    ]
    try:
        yield
    finally:
        for each in running:
            each.kill()
            each.wait()


def dry_times(
    card: pulse.SoundCard, store: float, switch: float, threads: int, seconds: float
) -> tuple[int, float]:
    """Return the underflows of the sound card, and PortAudio's buffer in seconds."""
    playing = command("bench.endurance.xruns", f"play({store}, {switch}, {threads}, {seconds})")
    done = subprocess.run(
        playing, env=card.env, cwd=ROOT, capture_output=True, text=True, check=True
    )
    times, kept = done.stdout.split()[-2:]
    return int(times), float(kept)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each line")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if missing := pulse.missing():
        raise SystemExit(f"nothing played: {missing}")
    loads = {
        "quiet": (0, 0),
        "busy machine": (2 * (os.cpu_count() or 1), 0),
        "busy program": (0, 2),
    }
    rows = []
    with pulse.sound_card() as card:
        for name, (programs, threads) in loads.items():
            for switch in SWITCHES:
                for store in STORES:
                    with busy_machine(programs):
                        dry, kept = dry_times(card, store, switch, threads, options.seconds)
                    rows.append({"load": name, "switch_ms": 1000 * switch, "dry": dry,
                                 "price_ms": round(1000 * kept)})  # fmt: skip
                    if not options.json:
                        print(
                            f"{name:14} switch {1000 * switch:g} ms, buffer {1000 * kept:4.0f} ms:"
                            f" ran dry {dry} times",
                            flush=True,
                        )
    if options.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
