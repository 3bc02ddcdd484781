"""Plots for the documentation, on the SVG writer of the reports.

They follow the reader's light or dark page, and hold their numbers as text, so that they can be
searched and read aloud.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.exports.svg import INK, SOFT, SvgPage
from bench.paths import FIGURES

WIDTH = 720
GREEN, ORANGE, BLUE, VIOLET, RED = COLOURS = "#2c7d5b", "#c2571a", "#20508c", "#7a4fa3", "#b3261e"
GRID = "#d9dee3"
_DARK = {
    INK: "#e6edf3",
    SOFT: "#9aa7b2",
    GRID: "#3a434c",
    GREEN: "#5cc596",
    ORANGE: "#f0965a",
    BLUE: "#7fb0ee",
    VIOLET: "#bf9be6",
    RED: "#f28b82",
}
_TEXT = 13
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 30, 46, 40


@dataclass(frozen=True, slots=True)
class Line:
    """One series of a line plot."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: str = GREEN
    is_dotted: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: a median with the 95th percentile as a whisker, and a goal as a tick."""

    name: str
    value: float
    high: float | None = None
    goal: float | None = None
    colour: str = GREEN


def svg_page(width: float = WIDTH) -> SvgPage:
    """Return an empty page for a figure of the documentation."""
    return SvgPage(width, size=_TEXT, dark=_DARK)


def write(name: str, svg: str) -> Path:
    """Save a plot as docs/figures/NAME.svg."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    path = FIGURES / f"{name}.svg"
    path.write_text(svg, "utf-8")
    return path


def number(value: float) -> str:
    """Return a number as people write it: 1,234 and 0.05."""
    if value == 0:
        return "0"
    digits = max(0, 1 - math.floor(math.log10(abs(value)))) if abs(value) < 10 else 0
    shown = f"{value:,.{digits}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


# --- Axes ----------------------------------------------------------------------------------------


class Axis:
    """Maps values to pixels between two ends, and names some of them."""

    def __init__(
        self,
        values: Sequence[float],
        first: float,
        last: float,
        *,
        is_log: bool = False,
        names: Sequence[str] = (),
    ) -> None:
        """`names` stand at the values 0, 1 and so on, instead of round numbers."""
        self.first, self.last = first, last
        self._is_log = is_log
        low, high = min(values), max(values)
        numbers = _decades(low, high) if is_log else _steps(low, high)
        self.ticks = [(value, number(value)) for value in numbers]
        if names:
            self.ticks = [(float(at), name) for at, name in enumerate(names)]
        low, high = min(low, self.ticks[0][0]), max(high, self.ticks[-1][0])
        self._low, self._span = self._turned(low), (self._turned(high) - self._turned(low)) or 1.0

    def place(self, value: float) -> float:
        """Return where a value lies."""
        share = (self._turned(value) - self._low) / self._span
        return self.first + share * (self.last - self.first)

    def _turned(self, value: float) -> float:
        return math.log10(value) if self._is_log else value


def _decades(low: float, high: float) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0**power for power in range(first, last + 1)]


def _steps(low: float, high: float) -> list[float]:
    span = (high - low) or 1.0
    step = 10.0 ** math.floor(math.log10(span / 4))
    step *= next(k for k in (1, 2, 5, 10) if span / (k * step) <= 6)
    first, last = math.floor(low / step + 0.01), math.ceil(high / step - 0.01)
    return [step * k for k in range(first, last + 1)]


def draw_grid(on: SvgPage, across: Axis, up: Axis) -> None:
    """Draw a line at each named value of the upright axis, and the names of both."""
    for value, name in up.ticks:
        y = up.place(value)
        on.line([(across.first, y), (across.last, y)], GRID, width=1)
        on.text(across.first - 8, y + 4, name, colour=SOFT, anchor="end")
    for value, name in across.ticks:
        on.text(across.place(value), up.first + 20, name, colour=SOFT, anchor="middle")


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
    right = WIDTH - _RIGHT
    across = Axis([at for at, _ in points], _LEFT, right, is_log=is_log)
    low = [] if least is None else [least]
    up = Axis([value for _, value in points] + low, height - _BOTTOM, _TOP + 18, is_log=is_log)
    drawn = svg_page()
    drawn.text(12, 24, title, size=16, weight=600)
    drawn.text(12, _TOP, y, colour=SOFT)
    draw_grid(drawn, across, up)
    drawn.text(right, height - 4, x, colour=SOFT, anchor="end")
    legend = float(right)
    for each in reversed(series):
        drawn.text(legend, _TOP, each.name, colour=each.colour, weight=600, anchor="end")
        legend -= 7.4 * len(each.name) + 22
    for each in series:
        places = [(across.place(at), up.place(value)) for at, value in each.points]
        drawn.line(places, each.colour, dash="5 4" if each.is_dotted else "none")
    return drawn.document(height, title)


# --- Bars ----------------------------------------------------------------------------------------


def bars(title: str, rows: Sequence[Bar], *, unit: str, is_log: bool = False) -> str:
    """Return horizontal bars with their numbers; a goal is a tick that they should not reach."""
    step = 30
    reach = [v for row in rows for v in (row.value, row.high, row.goal) if v]
    scale = _BarScale(min(reach) / 3 if is_log else 0.0, max(reach), is_log=is_log)
    drawn = svg_page()
    drawn.text(12, 24, title, size=16, weight=600)
    for n, row in enumerate(rows):
        _draw_bar(drawn, row, scale, 44 + n * step, unit)
    height = 44 + len(rows) * step + 22
    if any(row.goal is not None for row in rows):
        drawn.text(scale.left, height - 8, "dashed: the goal", colour=SOFT)
    return drawn.document(height, title)


@dataclass(frozen=True, slots=True)
class _BarScale:
    """Maps values to pixels, from the lowest at the left."""

    low: float
    high: float
    is_log: bool
    left: float = 250
    right: float = WIDTH - 170

    def place(self, value: float) -> float:
        if self.is_log:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = value / self.high
        return self.left + share * (self.right - self.left)


def _draw_bar(on: SvgPage, row: Bar, scale: _BarScale, y: float, unit: str) -> None:
    end = max(scale.left + 1, scale.place(row.value))
    shown = f"{number(row.value)} {unit}"
    on.text(scale.left - 10, y + 14, row.name, anchor="end")
    on.box(scale.left, y, end - scale.left, 18, row.colour, radius=3)
    if row.high is not None:
        high = scale.place(row.high)
        on.line([(end, y + 9), (high, y + 9)], row.colour)
        on.line([(high, y + 4), (high, y + 14)], row.colour)
        shown += f", 95 % {number(row.high)}"
    if row.goal is not None:
        goal = scale.place(row.goal)
        on.line([(goal, y - 4), (goal, y + 22)], ORANGE, dash="3 2")
    on.text(scale.right + 10, y + 14, shown, weight=600)
