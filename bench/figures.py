"""Measure all that the README tells of speed, draw it, and write the table of goals anew.

    python bench/figures.py [--only latency hold matching ...] [--quick] [--draw]

Each measurement is another script of this folder; what it found is kept in bench/figures/NAME.json,
so that one can be taken again without the others (--only), or drawn again without any (--draw).
Take them on a machine that does nothing else; --quick tries everything with few repeats.
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
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from charts import FIGURES, Bar, Line, bars, lines, number, write  # noqa: E402

README = ROOT / "README.md"
SCRIPTS: dict[str, tuple[list[str], list[str]]] = {
    "latency": (["latency.py", "--runs", "15", "--json"], ["latency.py", "--runs", "3", "--json"]),
    "hold": (
        ["hold_timing.py", "--rounds", "10", "--live", "10", "--json"],
        ["hold_timing.py", "--rounds", "1", "--live", "1", "--json"],
    ),
    "barge_in": (
        ["barge_in.py", "--live", "10", "--lockstep", "20", "--workers", "1", "--json"],
        ["barge_in.py", "--live", "0", "--lockstep", "2", "--json"],
    ),
    "load": (["load.py", "--json"], ["load.py", "--seconds", "10", "--json"]),
    "matching": (
        ["matching_growth.py", "--json"],
        ["matching_growth.py", "--repeats", "5", "--json"],
    ),
    "sessions": (
        ["sessions.py", "--json"],
        ["sessions.py", "--sessions", "1", "4", "--seconds", "15", "--json"],
    ),
}
"""Name of a measurement to its script, in full and quickly."""

Row = tuple[str, str, str, str]
"""What, goal, measured, script."""


def measure(name: str, *, is_quick: bool) -> None:
    """Run a script and keep what it found."""
    script, *words = SCRIPTS[name][is_quick]
    command = [sys.executable, str(ROOT / "bench" / script), *words]
    print(f"{name}: {' '.join([script, *words])}", flush=True)
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        print(f"{name} failed: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return
    found = _parsed(done.stdout)
    if isinstance(found, dict):
        found.pop("trials", None)
    FIGURES.mkdir(exist_ok=True)
    kept = {"machine": machine(), "found": found}
    (FIGURES / f"{name}.json").write_text(json.dumps(kept, indent=1) + "\n", "utf-8")


def _parsed(text: str) -> Any:
    """Return one JSON document, or a list of one a line."""
    try:
        return json.loads(text)
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def machine() -> str:
    """Name this machine, and how busy it was."""
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


def rows() -> Iterator[Row]:
    """Yield the rows of the table."""
    for name, tell in TELL.items():
        found = kept(name)
        if found is not None:
            yield from tell(found)


def _latency(found: Any) -> Iterator[Row]:
    goals = {
        "cold start to listening": ("under 1.5 s", 1000.0, "s"),
        "answer, line cached": ("under 50 ms", 1.0, "ms"),
        "answer, line rendered now": ("under 50 ms", 1.0, "ms"),
    }
    for name, (goal, unit, word) in goals.items():
        median, high = found[name]["median_ms"] / unit, found[name]["p95_ms"] / unit
        yield (
            name,
            goal,
            f"median {number(median)} {word}, 95 % {number(high)} {word}",
            "latency.py",
        )
    yield "memory, all loaded", "under 150 MB", f"{found['memory_mb']:.0f} MB", "latency.py"


def _hold(found: Any) -> Iterator[Row]:
    goals = {"file": "under 1 ms", "speaker": "under 1 ms of the device clock", "naive": "-"}
    for name, goal in goals.items():
        if name in found:
            row = found[name]
            told = f"median {number(row['median_ms'])} ms, most {number(row['max_ms'])} ms"
            told += f"; end of the hold {number(row['end_ms'])} ms late"
            yield f"error of a count, {WAYS[name]}", goal, told, "hold_timing.py"


WAYS = {
    "file": "written file",
    "speaker": "recorded from the speaker",
    "naive": "the naive way (say, wait, sleep(1))",
}


def _barge_in(found: Any) -> Iterator[Row]:
    for row in found["rows"]:
        if row["said"] == "stop" and row["median"] is not None:
            told = f"median {row['median']:.0f} ms, 95 % {row['p95']:.0f} ms ({row['way']})"
            yield f"“stop” while Charley is {row['during']}", "under 400 ms", told, "barge_in.py"


def _load(found: Any) -> Iterator[Row]:
    goals = {"idle": "under 10 %", "listening": "under 10 %", "speaking": "-"}
    for name, goal in goals.items():
        told = f"{found[name]['core_percent']:.1f} %, {found[name]['memory_mb']:.0f} MB"
        yield f"share of a core, {name}", goal, told, "load.py"


def _matching(found: Any) -> Iterator[Row]:
    for row in (found[0], found[-1]):
        told = f"median {number(row['median_ms'])} ms, 95 % {number(row['p95_ms'])} ms"
        yield (
            f"typed utterance, {row['phrases']:,} phrases more",
            "under 1 ms",
            told,
            ("matching_growth.py"),
        )


def _sessions(found: Any) -> Iterator[Row]:
    last = found[-1]
    told = f"{last['sessions']} at once: {last['core_percent']:.0f} % of the core, "
    told += f"“stop” 95 % {last['stop_95_ms']:.0f} ms, {last['memory_mb']:.0f} MB"
    yield "conversations on one core", "-", told, "sessions.py"


TELL: dict[str, Callable[[Any], Iterator[Row]]] = {
    "latency": _latency,
    "hold": _hold,
    "barge_in": _barge_in,
    "load": _load,
    "matching": _matching,
    "sessions": _sessions,
}


def table() -> str:
    """Return the table in Markdown."""
    told = [
        f"| {what} | {goal} | {said} | `bench/{script}` |" for what, goal, said, script in rows()
    ]
    machines = sorted({_file(name)["machine"] for name in TELL if _file(name)})
    return "\n".join([*told, "", *(f"Machine: {each}." for each in machines[-1:]), ""])


def refresh() -> None:
    """Put the table between its marks in the README."""
    marks = r"(<!-- goals -->\n).*?(<!-- /goals -->)"
    text = README.read_text("utf-8")
    text = re.sub(marks, lambda found: found[1] + table() + found[2], text, flags=re.S)
    README.write_text(text, "utf-8")


# --- The plots -----------------------------------------------------------------------------------


def draw() -> None:
    """Draw all that was measured."""
    if found := kept("matching"):
        series = [
            Line("median", [(r["phrases"], r["median_ms"]) for r in found]),
            Line("95 %", [(r["phrases"], r["p95_ms"]) for r in found], 1, is_dotted=True),
        ]
        title = "Understanding one utterance, as the phrases grow"
        write("matching", lines(title, series, x="phrases", y="milliseconds", is_log=True))
    if found := kept("hold"):
        series = [
            Line(WAYS[name], [(n + 1, late) for n, late in enumerate(found[name]["lateness_s"])], c)
            for name, c in (("speaker", 0), ("naive", 1))
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
    """Draw the memory of a soak from the tables that bench/soak.py --out bench/figures writes."""
    series = []
    for n, name in enumerate(("real", "virtual")):
        path = FIGURES / f"{name}.csv"
        if path.is_file():
            with path.open(encoding="utf-8") as file:
                marks = list(csv.DictReader(file))
            last = float(marks[-1]["minutes"])
            points = [(100 * float(m["minutes"]) / last, float(m["rss_mb"])) for m in marks]
            length = f"{last:.0f} minutes" if last < 120 else f"{last / 60:.0f} hours"
            series.append(Line(f"{name}, {length}", points, 2 * n))
    if series:
        title = "Memory while random users talk"
        write("soak", lines(title, series, x="% of the time", y="megabytes", least=0.0))


def main() -> None:
    """Measure what was asked for, draw, and refresh the README."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=SCRIPTS, default=list(SCRIPTS))
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
