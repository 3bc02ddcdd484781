"""Measure which output buffer survives a busy machine, and how much latency it costs.

    python -m bench.endurance.xruns [--seconds 10] [--json]

Plays silence through the real speaker path on a sound card made of software, while the machine is
busy (programs that never wait, two for each core) and while this very program is (a thread that
never gives Python away by itself). Counted are the times that the sound card ran dry. The store is
also how much later a cut is heard, so the least that survives is the best.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator

from bench.paths import ROOT
from tests.support import pulse

STORES = (0.035, 0.06, 0.1, 0.2)
"""Seconds; the first is what PortAudio takes by itself."""
SWITCHES = (0.005, 0.001)
"""Python's own switch interval, and Charley's (assistant/frontends/live/loop.py)."""
PLAY = """
import sys, threading
from assistant.audio import speaker as speakers
from assistant.audio.devices import output_rate
from assistant.playback.timeline import Timeline
speakers.SPEAKER_LATENCY_SECONDS = float(sys.argv[1])
sys.setswitchinterval(float(sys.argv[2]))
over = threading.Event()
def burn():
    while not over.is_set():
        sum(range(1000))
for _ in range(int(sys.argv[3])):
    threading.Thread(target=burn, daemon=True).start()
with speakers.Speaker(Timeline(None, output_rate())) as speaker:
    over.wait(float(sys.argv[4]))
    over.set()
    print(speaker.underflows, speaker.latency_seconds)
"""


@contextlib.contextmanager
def busy_machine(programs: int) -> Iterator[None]:
    """Run so many programs that never wait."""
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
    """Return how often the sound card ran dry, and the store in seconds that PortAudio kept."""
    words = (str(store), str(switch), str(threads), str(seconds))
    done = subprocess.run(
        [sys.executable, "-c", PLAY, *words], env={**card.env, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
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
                        print(f"{name:14} switch {1000 * switch:g} ms  store {1000 * kept:4.0f} ms "
                              f" ran dry {dry} times", flush=True)  # fmt: skip
    if options.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
