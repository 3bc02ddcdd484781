"""The figures of `bench/hearing/accuracy.py` as a table and as a drawing."""

from __future__ import annotations

import json
from itertools import cycle
from pathlib import Path
from typing import Any

from assistant.exports.svg import INK, WIDTH, SvgPage
from bench import charts
from bench.charts import COLOURS, Axis

Results = dict[str, Any]

_LEVELS = ("20 dB", "10 dB", "5 dB")
_RIGHT_SHARE = ", intent and slots right, %"
_IN_NOISE = f"dB{_RIGHT_SHARE}"
_LEFT, _RIGHT = (80.0, 470.0), (600.0, 960.0)
"""Where each of the two charts begins and ends, in pixels; and the height of both."""
_HEIGHT = (400.0, 110.0)


def write(results: Results, folder: Path) -> None:
    """Write accuracy.json, accuracy.md and accuracy.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "accuracy.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    (folder / "accuracy.md").write_text(table(results), "utf-8")
    (folder / "accuracy.svg").write_text(draw(results), "utf-8")


def table(results: Results) -> str:
    """Return a Markdown table: a row a measure, a column a recogniser."""
    figures: dict[str, dict[str, float]] = results["figures"]
    names = list(figures)
    measures = sorted({what: None for found in figures.values() for what in found}, key=_section)
    rows = [f"| measure | {' | '.join(names)} |", "|---|" + "---:|" * len(names)]
    for what in measures:
        values = (_shown(figures[name].get(what)) for name in names)
        rows.append(f"| {what} | {' | '.join(values)} |")
    some = f", one in {results['every']} clips and lines" if results["every"] > 1 else ""
    made = (
        f"Network {results['model']}; {results['machine']}; {results['minutes']:.0f} minutes{some}."
    )
    return "\n".join([made, "", *rows, "", *_trade_offs(results), ""])


def _section(what: str) -> str:
    return what.partition(".")[0]


def _shown(value: float | None) -> str:
    if value is None:
        return ""
    return (
        f"{value:.3f}" if 0 < abs(value) < 0.1 else f"{value:.2f}" if value < 1 else f"{value:.1f}"
    )


def _trade_offs(results: Results) -> list[str]:
    lines: list[str] = []
    for name, points in results["curves"].items():
        keys = list(points[0])
        lines += [f"Trade-off of {name}:", "", f"| {' | '.join(keys)} |", "|---:" * len(keys) + "|"]
        lines += [f"| {' | '.join(_shown(point[key]) for key in keys)} |" for point in points]
        lines.append("")
    return lines


def draw(results: Results) -> str:
    """Return both charts as SVG: how well noise is stood, and false starts against misses."""
    svg = charts.svg_page(WIDTH)
    svg.text(40, 50, "How well Charley hears", size=24, weight=700)
    _draw_noise(svg, results["figures"])
    if results["curves"]:
        _draw_curves(svg, results["curves"])
    title = "How well Charley hears: utterances right in noise, and false starts against misses"
    return svg.document(560, title, table(results))


def _draw_noise(svg: SvgPage, figures: dict[str, dict[str, float]]) -> None:
    """Draw a line for each noise, from clean speech to the loudest."""
    charley = next(iter(figures.values()))
    names = ("clean", *_LEVELS)
    across, up = Axis(range(len(names)), *_LEFT, names=names), Axis((0, 100), *_HEIGHT)
    svg.text(across.first, 84, "Whole utterances, intent and slots right, %", size=15, weight=600)
    charts.draw_grid(svg, across, up)
    clean = charley.get(f"2. clean{_RIGHT_SHARE}", 0.0)
    noises = _noises(charley)
    for n, (noise, colour) in enumerate(zip(noises, cycle(COLOURS))):
        values = [clean, *(charley[f"2. {noise}, {level}{_RIGHT_SHARE}"] for level in _LEVELS)]
        places = [(across.place(at), up.place(value)) for at, value in enumerate(values)]
        svg.line(places, colour)
        _key(svg, across.first, n, noise, colour)
    narrow = charley.get(f"2. 8 kHz sampling{_RIGHT_SHARE}")
    if narrow is not None:
        svg.dot(across.first, up.place(narrow), 5, INK, is_full=False)
        y = up.first + 50 + 20 * len(noises)
        svg.dot(across.first + 12, y - 4, 5, INK, is_full=False)
        svg.text(across.first + 32, y, "clean, over 8 kHz sampling")


def _noises(charley: dict[str, float]) -> list[str]:
    """Return the names of the noises, each once, in the order of the figures."""
    names = (what.removeprefix("2. ").partition(", ")[0] for what in charley if _IN_NOISE in what)
    return list(dict.fromkeys(names))


def _draw_curves(svg: SvgPage, curves: dict[str, list[dict[str, float]]]) -> None:
    """Draw false starts and stops an hour against those missed."""
    points = [point for found in curves.values() for point in found]
    kinds = ("starts", "stops")
    most = max([5.0, *(p[f"false {kind} an hour"] for p in points for kind in kinds)])
    far = max([10.0, *(p[f"{kind} missed, %"] for p in points for kind in kinds)])
    across, up = Axis((0, far), *_RIGHT), Axis((0, most), *_HEIGHT)
    title = "False an hour of reading aloud, against missed, %"
    svg.text(across.first, 84, title, size=15, weight=600)
    charts.draw_grid(svg, across, up)
    lines = [(name, kind) for name in curves for kind in kinds]
    for n, ((name, kind), colour) in enumerate(zip(lines, cycle(COLOURS))):
        places = [
            (across.place(p[f"{kind} missed, %"]), up.place(p[f"false {kind} an hour"]))
            for p in curves[name]
        ]
        svg.line(places, colour)
        for number, (x, y) in enumerate(places):
            svg.dot(x, y, 5, colour, is_full=number == 0)
        _key(svg, across.first, n, f"{name}: {kind} (full: as it is)", colour)


def _key(svg: SvgPage, x: float, number: int, words: str, colour: str) -> None:
    y = _HEIGHT[0] + 50 + 20 * number
    svg.line([(x, y - 4), (x + 24, y - 4)], colour, width=3)
    svg.text(x + 32, y, words)
