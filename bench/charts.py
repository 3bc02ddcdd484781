"""Plots for the README: small SVG files, written by hand like assistant/exports/report_svg.py.

They follow the reader's light or dark page, and hold their numbers as text, so that they can be
searched and read aloud.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from bench.paths import FIGURES

WIDTH = 720
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 30, 46, 40
_STYLE = """<style>
text{font:13px system-ui,-apple-system,'Segoe UI','Noto Sans',sans-serif;fill:#1d2730}
.t{font-size:16px;font-weight:600}.s{fill:#66727d}.g{stroke:#d9dee3;stroke-width:1}
.n{text-anchor:middle}.e{text-anchor:end}.b{font-weight:600}
.c0{stroke:#2c7d5b;fill:#2c7d5b}.c1{stroke:#c2571a;fill:#c2571a}.c2{stroke:#20508c;fill:#20508c}
.c3{stroke:#7a4fa3;fill:#7a4fa3}.l{fill:none;stroke-width:2}.w{fill-opacity:.25;stroke:none}
text.c0,text.c1,text.c2,text.c3{stroke:none}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.s{fill:#9aa7b2}.g{stroke:#3a434c}
.c0{stroke:#5cc596;fill:#5cc596}.c1{stroke:#f0965a;fill:#f0965a}.c2{stroke:#7fb0ee;fill:#7fb0ee}
.c3{stroke:#bf9be6;fill:#bf9be6}}
</style>"""
"""Colours by number, for light pages and for dark ones."""


@dataclass(frozen=True, slots=True)
class Line:
    """One series of a line plot."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: int = 0
    is_dotted: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: a median with the 95th percentile as a whisker, and a goal as a tick."""

    name: str
    value: float
    high: float | None = None
    goal: float | None = None
    colour: int = 0


def write(name: str, svg: str) -> Path:
    """Keep a plot as docs/figures/NAME.svg."""
    FIGURES.mkdir(exist_ok=True)
    path = FIGURES / f"{name}.svg"
    path.write_text(svg, "utf-8")
    return path


def document(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    """Return an SVG document with its title for screen readers."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img">'
    )
    return "\n".join([head, f"<title>{escape(title)}</title>", _STYLE, *parts, "</svg>", ""])


def text(x: float, y: float, words: str, kind: str = "") -> str:
    """Return words with their baseline at y; `kind` names classes of the style."""
    shape = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{shape}>{escape(words)}</text>'


def number(value: float) -> str:
    """Return a number as people write it: 1,234 and 0.05."""
    if value == 0:
        return "0"
    digits = max(0, 1 - math.floor(math.log10(abs(value)))) if abs(value) < 10 else 0
    shown = f"{value:,.{digits}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


# --- Lines ---------------------------------------------------------------------------------------


def lines(
    title: str,
    series: Sequence[Line],
    *,
    x: str,
    y: str,
    height: int = 280,
    is_log: bool = False,
    least: float | None = None,
) -> str:
    """Return a plot of series over a common axis; `is_log` for both axes, `least` of y."""
    points = [point for each in series for point in each.points]
    across = _Axis([at for at, _ in points], _LEFT, WIDTH - _RIGHT, is_log=is_log)
    low = [] if least is None else [least]
    up = _Axis([value for _, value in points] + low, height - _BOTTOM, _TOP + 18, is_log=is_log)
    parts = [text(12, 24, title, "t"), text(12, _TOP, y, "s")]
    for value in up.ticks:
        at = up.place(value)
        parts.append(f'<path class="g" d="M{_LEFT} {at:.1f}H{WIDTH - _RIGHT}"/>')
        parts.append(text(_LEFT - 8, at + 4, number(value), "s e"))
    parts += [text(across.place(v), height - 20, number(v), "s n") for v in across.ticks]
    parts.append(text(WIDTH - _RIGHT, height - 4, x, "s e"))
    legend = float(WIDTH - _RIGHT)
    for each in reversed(series):
        parts.append(text(legend, _TOP, each.name, f"b e c{each.colour}"))
        legend -= 7.4 * len(each.name) + 22
    for each in series:
        path = " ".join(f"{across.place(a):.1f},{up.place(b):.1f}" for a, b in each.points)
        dots = ' stroke-dasharray="5 4"' if each.is_dotted else ""
        parts.append(
            f'<polyline class="c{each.colour} l" style="fill:none"{dots} points="{path}"/>'
        )
    return document(WIDTH, height, title, parts)


class _Axis:
    """Turns values into places."""

    def __init__(self, values: Sequence[float], first: float, last: float, *, is_log: bool) -> None:
        self._turn: Callable[[float], float] = math.log10 if is_log else float
        low, high = min(values), max(values)
        self.ticks = _decades(low, high) if is_log else _steps(low, high)
        low, high = min(low, self.ticks[0]), max(high, self.ticks[-1])
        self._low, self._span = self._turn(low), (self._turn(high) - self._turn(low)) or 1.0
        self._first, self._last = first, last

    def place(self, value: float) -> float:
        share = (self._turn(value) - self._low) / self._span
        return self._first + share * (self._last - self._first)


def _decades(low: float, high: float) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0**power for power in range(first, last + 1)]


def _steps(low: float, high: float) -> list[float]:
    span = (high - low) or 1.0
    step = 10.0 ** math.floor(math.log10(span / 4))
    step *= next(k for k in (1, 2, 5, 10) if span / (k * step) <= 6)
    first, last = math.floor(low / step + 0.01), math.ceil(high / step - 0.01)
    return [step * k for k in range(first, last + 1)]


# --- Bars ----------------------------------------------------------------------------------------


def bars(title: str, rows: Sequence[Bar], *, unit: str, is_log: bool = False) -> str:
    """Return horizontal bars with their numbers; a goal is a tick that they should not reach."""
    left, right, step = 250, WIDTH - 170, 30
    reach = [v for row in rows for v in (row.value, row.high, row.goal) if v]
    low = min(reach) / 3 if is_log else 0.0
    turn: Callable[[float], float] = (lambda v: math.log10(max(v, low))) if is_log else float
    span = turn(max(reach)) - turn(low) if is_log else max(reach)

    def place(value: float) -> float:
        return left + (turn(value) - (turn(low) if is_log else 0.0)) / span * (right - left)

    parts = [text(12, 24, title, "t")]
    for n, row in enumerate(rows):
        y = 44 + n * step
        parts.append(text(left - 10, y + 14, row.name, "e"))
        end = max(1.0, place(row.value) - left)
        parts.append(
            f'<rect class="c{row.colour}" x="{left}" y="{y}" width="{end:.1f}" height="18" rx="3"/>'
        )
        if row.high is not None:
            whisker = f"M{left + end:.1f} {y + 9}H{place(row.high):.1f}m0 -5v10"
            parts.append(f'<path class="c{row.colour} l" d="{whisker}"/>')
        if row.goal is not None:
            parts.append(
                f'<path class="c1 l" stroke-dasharray="3 2" d="M{place(row.goal):.1f} {y - 4}v26"/>'
            )
        shown = f"{number(row.value)} {unit}"
        shown += f", 95 % {number(row.high)}" if row.high is not None else ""
        parts.append(text(right + 10, y + 14, shown, "b"))
    height = 44 + len(rows) * step + 22
    if any(row.goal is not None for row in rows):
        parts.append(text(left, height - 8, "dashed: the goal", "s"))
    return document(WIDTH, height, title, parts)
