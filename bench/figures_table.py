"""Take the figures of docs/figures.md: measure, draw the plots, and write the table of goals.

    python -m bench.figures_table [--only latency hold matching ...] [--quick] [--draw]

Each measurement is another bench, whose findings are kept in docs/figures/NAME.json, so that one
can be taken again without the others (--only), or all drawn again without measuring (--draw). Run
it on an idle machine; --quick tries everything with few repeats.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.charts import BLUE, GREEN, ORANGE, Bar, Line, bars, lines, number, write
from bench.paths import FIGURES, PAGE, ROOT


@dataclass(frozen=True, slots=True)
class Measurement:
    """A bench that takes some of the figures, and its options for few repeats."""

    module: str
    options: str
    quick: str

    def command(self, *, is_quick: bool) -> list[str]:
        """Return the module and its options."""
        return [self.module, *(self.quick if is_quick else self.options).split(), "--json"]


MEASUREMENTS = {
    "latency": Measurement("bench.timing.latency", "--runs 15", "--runs 3"),
    "hold": Measurement(
        "bench.coaching.hold_timing", "--rounds 10 --live 10", "--rounds 1 --live 1"
    ),
    "barge_in": Measurement(
        "bench.timing.barge_in", "--live 10 --lockstep 20 --workers 1", "--live 0 --lockstep 2"
    ),
    "load": Measurement("bench.endurance.load", "", "--seconds 10"),
    "matching": Measurement("bench.understanding.growth", "", "--repeats 5"),
    "sessions": Measurement("bench.timing.sessions", "", "--sessions 1 4 --seconds 15"),
}

Row = tuple[str, str, str]
"""A measure, its goal, and the value."""


def measure(name: str, *, is_quick: bool) -> None:
    """Run a bench and keep what it found."""
    command = MEASUREMENTS[name].command(is_quick=is_quick)
    print(f"{name}: {' '.join(command)}", flush=True)
    command = [sys.executable, "-m", *command]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        print(f"{name} failed: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return
    found = _parsed(done.stdout)
    if isinstance(found, dict):
        found.pop("trials", None)
    FIGURES.mkdir(parents=True, exist_ok=True)
    kept = {"machine": machine(), "found": found}
    (FIGURES / f"{name}.json").write_text(json.dumps(kept, indent=1) + "\n", "utf-8")


def _parsed(text: str) -> Any:
    """Return one JSON document, or a list of one a line."""
    try:
        return json.loads(text)
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def machine() -> str:
    """Return this machine's name and load."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text("utf-8"))
    cores, load = os.cpu_count(), os.getloadavg()[0]
    name = cpu[1] if cpu else platform.machine()
    return f"{cores} shared cores ({name}), Python {platform.python_version()}, load {load:.1f}"


def kept(name: str) -> Any:
    """Return what a script found the last time; None if it never ran."""
    return _file(name).get("found")


def _file(name: str) -> dict[str, Any]:
    path = FIGURES / f"{name}.json"
    return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}


# --- The table -----------------------------------------------------------------------------------


def rows() -> Iterator[str]:
    """Yield the rows of the table in Markdown."""
    for name, describe in ROWS.items():
        if (found := kept(name)) is not None:
            for what, goal, measured in describe(found):
                yield f"| {what} | {goal} | {measured} | `{MEASUREMENTS[name].module}` |"


def _latency(found: Any) -> Iterator[Row]:
    goals = {
        "cold start to listening": ("under 1.5 s", 1000.0, "s"),
        "answer, line cached": ("under 50 ms", 1.0, "ms"),
        "answer, line rendered now": ("under 50 ms", 1.0, "ms"),
    }
    for name, (goal, unit, word) in goals.items():
        median, high = found[name]["median_ms"] / unit, found[name]["p95_ms"] / unit
        yield name, goal, f"median {number(median)} {word}, 95 % {number(high)} {word}"
    yield "memory, all loaded", "under 150 MB", f"{found['memory_mb']:.0f} MB"


def _hold(found: Any) -> Iterator[Row]:
    goals = {"file": "under 1 ms", "speaker": "under 1 ms of the device clock", "naive": "-"}
    for name, goal in goals.items():
        if name in found:
            row = found[name]
            shown = f"median {number(row['median_ms'])} ms, most {number(row['max_ms'])} ms"
            shown += f"; end of the hold {number(row['end_ms'])} ms late"
            yield f"error of a count, {WAYS[name]}", goal, shown


WAYS = {
    "file": "written file",
    "speaker": "recorded from the speaker",
    "naive": "the naive way (say, wait, sleep(1))",
}


def _barge_in(found: Any) -> Iterator[Row]:
    for row in found["rows"]:
        if row["said"] == "stop" and row["median"] is not None:
            shown = f"median {row['median']:.0f} ms, 95 % {row['p95']:.0f} ms ({row['way']})"
            yield f"“stop” while Charley is {row['during']}", "under 400 ms", shown


def _load(found: Any) -> Iterator[Row]:
    goals = {"idle": "under 10 %", "listening": "under 10 %", "speaking": "-"}
    for name, goal in goals.items():
        shown = f"{found[name]['core_percent']:.1f} %, {found[name]['memory_mb']:.0f} MB"
        yield f"share of a core, {name}", goal, shown


def _matching(found: Any) -> Iterator[Row]:
    for row in (found[0], found[-1]):
        shown = f"median {number(row['median_ms'])} ms, 95 % {number(row['p95_ms'])} ms"
        yield f"typed utterance, {row['phrases']:,} phrases more", "under 1 ms", shown


def _sessions(found: Any) -> Iterator[Row]:
    last = found[-1]
    shown = f"{last['sessions']} at once: {last['core_percent']:.0f} % of the core, "
    shown += f"“stop” 95 % {last['stop_95_ms']:.0f} ms, {last['memory_mb']:.0f} MB"
    yield "conversations on one core", "-", shown


ROWS: dict[str, Callable[[Any], Iterator[Row]]] = {
    "latency": _latency,
    "hold": _hold,
    "barge_in": _barge_in,
    "load": _load,
    "matching": _matching,
    "sessions": _sessions,
}


def table() -> str:
    """Return the table in Markdown."""
    machines = sorted({_file(name)["machine"] for name in ROWS if _file(name)})
    return "\n".join([*rows(), "", *(f"Machine: {each}." for each in machines[-1:]), ""])


def refresh() -> None:
    """Put the table between its marks in docs/figures.md."""
    marks = r"(<!-- goals -->\n).*?(<!-- /goals -->)"
    text = PAGE.read_text("utf-8")
    text = re.sub(marks, lambda found: found[1] + table() + found[2], text, flags=re.S)
    PAGE.write_text(text, "utf-8")


# --- The plots -----------------------------------------------------------------------------------


def draw() -> None:
    """Draw everything that was measured."""
    if found := kept("matching"):
        series = [
            Line("median", [(r["phrases"], r["median_ms"]) for r in found]),
            Line("95 %", [(r["phrases"], r["p95_ms"]) for r in found], ORANGE, is_dotted=True),
        ]
        title = "Understanding one utterance, as the phrases grow"
        write("matching", lines(title, series, x="phrases", y="milliseconds", is_log=True))
    if found := kept("hold"):
        series = [
            Line(WAYS[name], [(n + 1, late) for n, late in enumerate(found[name]["lateness_s"])], c)
            for name, c in (("speaker", GREEN), ("naive", ORANGE))
            if name in found
        ]
        if series:
            title = "How late each count is, ten seconds of a hold"
            write("hold", lines(title, series, x="count", y="seconds late", least=0.0))
    if found := kept("latency"):
        title = "From an event to Charley's answer"
        bar = [Bar(name, found[name]["median_ms"], found[name]["p95_ms"], goal)
               for name, goal in GOALS_MS.items()]  # fmt: skip
        write("latency", bars(title, bar, unit="ms", is_log=True))
    _draw_soak()


GOALS_MS = {
    "cold start to listening": 1500.0,
    "answer, line cached": 50.0,
    "answer, line rendered now": 50.0,
}


def _draw_soak() -> None:
    """Draw the memory of a soak, from the tables of `bench.endurance.soak --out docs/figures`."""
    series = []
    for name, colour in (("real", GREEN), ("virtual", BLUE)):
        path = FIGURES / f"{name}.csv"
        if path.is_file():
            with path.open(encoding="utf-8") as file:
                marks = list(csv.DictReader(file))
            last = float(marks[-1]["minutes"])
            points = [(100 * float(m["minutes"]) / last, float(m["rss_mb"])) for m in marks]
            length = f"{last:.0f} minutes" if last < 120 else f"{last / 60:.0f} hours"
            series.append(Line(f"{name}, {length}", points, colour))
    if series:
        title = "Memory while random users talk"
        write("soak", lines(title, series, x="% of the time", y="megabytes", least=0.0))


def main() -> None:
    """Measure what was asked for, draw, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=MEASUREMENTS, default=list(MEASUREMENTS))
    parser.add_argument("--quick", action="store_true", help="few repeats, to try it")
    parser.add_argument("--draw", action="store_true", help="measure nothing")
    options = parser.parse_args()
    for name in [] if options.draw else options.only:
        measure(name, is_quick=options.quick)
    draw()
    refresh()
    print(table())


if __name__ == "__main__":
    main()
