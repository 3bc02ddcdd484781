"""Measure how well and how fast typed utterances are understood.

    python -m bench.understanding.matching [--utterances DIR]

DIR holds <meaning>.txt files, one utterance a line; tests/utterances/en/expected.yaml says what
each file means.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from assistant.nlu.intents import load
from assistant.nlu.matcher import Match, Matcher, NoMatch
from bench.paths import SENTENCES, UTTERANCES

CONTEXTS = {
    "idle": frozenset[str](),
    "idle after a cramp": frozenset({"recent"}),
    "in a conversation": frozenset({"session", "recent"}),
    "asked": frozenset({"session", "recent", "asked"}),
}
"""The states of listening, by the flags that hold in them."""


def right(expected: Mapping[str, Any] | None, found: Match | NoMatch) -> bool:
    """Return True if a line was understood as its file says; None is a file of negatives."""
    if expected is None:
        return isinstance(found, NoMatch) or found.slots.get("certain") == "no"
    return (
        isinstance(found, Match)
        and found.intent == expected["intent"]
        and all(found.slots.get(name) == value for name, value in expected["slots"].items())
    )


def main() -> int:
    """Print the table and the figures; 1 if a line was not understood."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--utterances", type=Path, default=UTTERANCES)
    args = parser.parse_args()
    expected = yaml.safe_load((UTTERANCES / "expected.yaml").read_text("utf-8"))

    began = time.perf_counter()
    intents = load(SENTENCES)
    loaded = time.perf_counter()
    matcher = Matcher(intents)
    built = time.perf_counter()

    wrong, times = understand(matcher, args.utterances, expected)
    print(*wrong, sep="\n")
    median, slow = statistics.median(times), times[len(times) * 95 // 100]
    print(f"understood {len(times) - len(wrong)} of {len(times)}")
    print(f"median {median * 1e3:.3f} ms, p95 {slow * 1e3:.3f} ms")
    print(f"load {loaded - began:.3f} s, matcher {built - loaded:.3f} s")
    for name, context in CONTEXTS.items():
        lines = _lines(args.utterances / "negative.txt")
        taken = sum(not right(None, matcher.match(line, context)) for line in lines)
        print(
            f"{name}: {taken} of {len(lines)} negatives mean something,"
            f" {len(intents.phrases(context))} phrases for the recogniser"
        )
    return 1 if wrong else 0


def understand(
    matcher: Matcher, folder: Path, expected: Mapping[str, Mapping[str, Any]]
) -> tuple[list[str], list[float]]:
    """Print a row for each file; return what was not understood, and the sorted times."""
    wrong: list[str] = []
    times: list[float] = []
    for path in sorted(folder.glob("*.txt")):
        lines, before = _lines(path), len(wrong)
        for line in lines:
            start = time.perf_counter()
            found = matcher.match(line)
            times.append(time.perf_counter() - start)
            if not right(expected.get(path.stem), found):
                wrong.append(f"{path.stem}: {line} -> {_short(found)}")
        good = len(lines) - len(wrong) + before
        print(f"{path.stem:26} {good:4} of {len(lines):4}  {good / max(len(lines), 1):7.1%}")
    return wrong, sorted(times)


def _lines(path: Path) -> list[str]:
    text = path.read_text("utf-8") if path.is_file() else ""
    return [line for line in text.splitlines() if line.strip()]


def _short(found: Match | NoMatch) -> str:
    if isinstance(found, NoMatch):
        return f"nothing ({found.reason})"
    return f"{found.intent} {dict(found.slots)} {found.score} by {found.phrase[:60]}"


if __name__ == "__main__":
    sys.exit(main())
