"""Measure how long it takes to understand an utterance as the phrases grow in number.

    python -m bench.understanding.growth [--repeats 50] [--json]

Adds 100 to 100,000 sentences of three made-up words to the English templates, and matches the same
utterances each time.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import yaml

from assistant.nlu.intents import load
from assistant.nlu.matcher import Matcher
from bench.paths import SENTENCES

UTTERANCES = (
    "my left calf is cramping", "okay", "how long left", "it still hurts", "stop",
    "the weather is nice today", "my caff is cramping",
)  # fmt: skip
SIZES = (100, 1_000, 10_000, 100_000)
SYLLABLES = ("ba", "do", "fi", "gu", "ka", "lo", "mi", "nu", "pa", "re", "so", "ti", "vu", "we")


def made_up(count: int) -> list[str]:
    """Return that many different sentences."""
    chance, found = random.Random(0), dict[str, None]()
    while len(found) < count:
        words = ("".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))) for _ in range(3))
        found[" ".join(words)] = None
    return list(found)


def measured(size: int, repeats: int) -> dict[str, float]:
    """Return the figures with that many more phrases."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(shutil.copytree(SENTENCES, Path(name) / "sentences"))
        data = [{"sentences": made_up(size)}]
        added = {"language": "en", "intents": {"call": {"data": data}}}
        (folder / "zz_added.yaml").write_text(yaml.safe_dump(added), "utf-8")
        began = time.perf_counter()
        matcher = Matcher(load(folder))
        built = time.perf_counter() - began
    times = []
    for text in UTTERANCES * repeats:
        start = time.perf_counter()
        matcher.match(text)
        times.append(1000 * (time.perf_counter() - start))
    high = sorted(times)[int(0.95 * len(times))]
    return {
        "phrases": size,
        "median_ms": statistics.median(times),
        "p95_ms": high,
        "built_s": built,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [measured(size, options.repeats) for size in SIZES]
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print("  ".join(f"{name} {value:10.3f}" for name, value in row.items()))


if __name__ == "__main__":
    main()
