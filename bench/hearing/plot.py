"""The figures of `bench/hearing/accuracy.py` as a table and as a drawing."""

from __future__ import annotations

import json
from itertools import cycle
from pathlib import Path
from typing import Any

from assistant.exports.svg import INK, SOFT, WIDTH, Sheet

Results = dict[str, Any]

_COLOURS = ("#2c7d5b", "#b3261e", "#20508c", "#c77d0a", "#6b3fa0")
_LEVELS = ("20 dB", "10 dB", "5 dB")
_TOP, _BOTTOM = 110.0, 400.0
_LEFT = (80.0, 470.0)
_RIGHT = (600.0, 960.0)
_LEAST_SHARE = 0.0


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
    sheet = Sheet()
    sheet.text(40, 50, "How well Charley hears", size=24, weight=700)
    _draw_noise(sheet, results["figures"])
    if results["curves"]:
        _draw_curves(sheet, results["curves"])
    title = "How well Charley hears: utterances right in noise, and false starts against misses"
    return sheet.document(560, title, table(results))


def _draw_noise(sheet: Sheet, figures: dict[str, dict[str, float]]) -> None:
    """Draw a line for each noise, from clean speech to the loudest."""
    left, right = _LEFT
    charley = next(iter(figures.values()))
    sheet.text(left, 84, "Whole utterances, intent and slots right, %", weight=600)
    places = [left + (right - left) * n / 3 for n in range(4)]
    for share in range(round(_LEAST_SHARE), 101, 20):
        y = _height(share)
        sheet.line(f"{left},{y} {right},{y}", "#e2e6ea", width=1)
        sheet.text(left - 8, y + 4, str(share), size=12, colour=SOFT, anchor="end")
    for x, name in zip(places, ("clean", *_LEVELS), strict=True):
        sheet.text(x, _BOTTOM + 20, name, size=12, colour=SOFT, anchor="middle")
    ending = ", intent and slots right, %"
    noises = {
        what.removeprefix("2. ").partition(", ")[0]: None
        for what in charley
        if "dB" + ending in what
    }
    clean = charley.get(f"2. clean{ending}", 0.0)
    for n, (noise, colour) in enumerate(zip(noises, cycle(_COLOURS))):
        values = [clean, *(charley[f"2. {noise}, {level}{ending}"] for level in _LEVELS)]
        points = [f"{x:.1f},{_height(v):.1f}" for x, v in zip(places, values, strict=True)]
        sheet.line(" ".join(points), colour)
        _key(sheet, left, n, noise, colour)
    narrow = charley.get(f"2. 8 kHz sampling{ending}")
    if narrow is not None:
        sheet.dot(places[0], _height(narrow), 5, INK, is_full=False)
        y = _BOTTOM + 50 + 20 * len(noises)
        sheet.dot(left + 12, y - 4, 5, INK, is_full=False)
        sheet.text(left + 32, y, "clean, over 8 kHz sampling", size=13)


def _draw_curves(sheet: Sheet, curves: dict[str, list[dict[str, float]]]) -> None:
    """Draw false starts and stops an hour against those missed."""
    left, right = _RIGHT
    sheet.text(left, 84, "False an hour of reading aloud, against missed, %", weight=600)
    points = [point for found in curves.values() for point in found]
    kinds = ("starts", "stops")
    most = max([5.0, *(p[f"false {kind} an hour"] for p in points for kind in kinds)])
    far = max([10.0, *(p[f"{kind} missed, %"] for p in points for kind in kinds)])
    for n in range(6):
        y, x = _BOTTOM - (_BOTTOM - _TOP) * n / 5, left + (right - left) * n / 5
        sheet.line(f"{left},{y} {right},{y}", "#e2e6ea", width=1)
        sheet.text(left - 8, y + 4, f"{most * n / 5:.0f}", size=12, colour=SOFT, anchor="end")
        sheet.text(x, _BOTTOM + 20, f"{far * n / 5:.0f}", size=12, colour=SOFT, anchor="middle")
    lines = [(name, kind) for name in curves for kind in kinds]
    for n, ((name, kind), colour) in enumerate(zip(lines, cycle(_COLOURS))):
        places = [
            (
                left + (right - left) * point[f"{kind} missed, %"] / far,
                _BOTTOM - (_BOTTOM - _TOP) * point[f"false {kind} an hour"] / most,
            )
            for point in curves[name]
        ]
        sheet.line(" ".join(f"{x:.1f},{y:.1f}" for x, y in places), colour)
        for number, (x, y) in enumerate(places):
            sheet.dot(x, y, 5, colour, is_full=number == 0)
        _key(sheet, left, n, f"{name}: {kind} (full: as it is)", colour)


def _height(share: float) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * (max(share, _LEAST_SHARE) - _LEAST_SHARE) / (
        100 - _LEAST_SHARE
    )


def _key(sheet: Sheet, x: float, number: int, words: str, colour: str) -> None:
    y = _BOTTOM + 50 + 20 * number
    sheet.line(f"{x},{y - 4} {x + 24},{y - 4}", colour, width=3)
    sheet.text(min(x + 32, WIDTH), y, words, size=13)
