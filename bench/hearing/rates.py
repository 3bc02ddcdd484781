"""Check that Charley can hear and be heard at each sample rate of earbuds.

    python -m bench.hearing.rates [--rates 8000 16000] [--json]

The real program, on a sound card made of software, at each sample rate and in mono and stereo, both
of the microphone and of the speaker: a runner names a cramp and says "stop". Either the sound
server changes the rate, as on a desktop, or Charley does, as where nothing else would.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.support import pulse
from tests.support.earbuds import Outcome, converse

RATES = (8000, 16000, 24000, 44100, 48000)
CHANNELS = {1: "mono", 2: "stereo"}


def said(outcome: Outcome) -> str:
    """Return a cell of the table."""
    lost = [name for name, is_there in asdict(outcome).items() if not is_there]
    return f"no {' or '.join(lost)}" if lost else "yes"


def main() -> None:
    """Try all and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rates", type=int, nargs="+", default=RATES, help="in hertz")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if missing := pulse.missing():
        raise SystemExit(f"nothing played: {missing}")
    if not options.json:
        print("| rate | who changes it | mono | stereo |\n|---|---|---|---|", flush=True)
    rows = []
    for rate in options.rates:
        for native in (False, True):
            cells = {}
            for channels, name in CHANNELS.items():
                with tempfile.TemporaryDirectory() as folder:
                    cells[name] = converse(Path(folder), rate, channels, native=native)
            who = "Charley" if native else "the sound server"
            rows.append({"rate": rate, "who": who, **{n: asdict(c) for n, c in cells.items()}})
            if not options.json:
                texts = " | ".join(map(said, cells.values()))
                print(f"| {rate / 1000:g} kHz | {who} | {texts} |", flush=True)
    if options.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
