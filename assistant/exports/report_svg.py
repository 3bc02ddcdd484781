"""A report as a picture: the session as one ribbon of states, and the conversation below it."""

from __future__ import annotations

import textwrap
from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise

from assistant.content.ui_text import minutes_seconds, printable
from assistant.dialogue.state import State
from assistant.exports import report_text
from assistant.exports.report import Held, Page, Row
from assistant.exports.svg import INK, SOFT, WIDTH, SvgPage

_COLOURS = {
    State.IDLE: "#e2e6ea",
    State.ASKING: "#f9dc8b",
    State.TRIAGE: "#f7b267",
    State.GUIDING: "#9cc5f0",
    State.HOLDING: "#4fb286",
    State.CHECKING: "#cdb8f0",
    State.RESTING: "#bfe6ea",
    State.EASING: "#c6e8b0",
    State.FOLLOWING: "#e0d3f5",
    State.PAUSED: "#c3c9d0",
    State.WARNED: "#e5605e",
    State.OFFERING: "#f6c4bd",
}
_YOU, _ALARM, _COUNT = "#20508c", "#b3261e", "#2c7d5b"

_MARGIN = 40
_RIBBON_WIDTH = WIDTH - 2 * _MARGIN
_RIBBON_HEIGHT = 44
_TEXT_X = 128
_LINE_HEIGHT = 21
_WRAP = 84
"""Characters of a line of talk; longer lines would run into the names of the states."""
_LONGEST_TEXT = 300
_LONGEST_GAP_SECONDS = 20.0
"""A longer silence is drawn this long, labelled with its length."""
_DOTS_WIDTH = 560


def draw(page: Page) -> str:
    """Return the page as an SVG document."""
    svg = SvgPage()
    svg.text(_MARGIN, 64, report_text.headline(page), size=30, weight=700)
    svg.text(_MARGIN, 92, f"Charley, {report_text.when(page)}", colour=SOFT)
    at = _draw_facts(svg, page, 128)
    at = _draw_ribbon(svg, page, at + 26)
    at = _draw_legend(svg, page, at + 44)
    at = _draw_talk(svg, page, at + 26)
    return svg.document(at + _MARGIN, report_text.headline(page), report_text.text(page))


# --- The facts -----------------------------------------------------------------------------------


def _draw_facts(svg: SvgPage, page: Page, at: float) -> float:
    """Write a line for each cramp and one for the session; return where they end."""
    for bout in page.bouts:
        name = f"{minutes_seconds(bout.began)}  {report_text.title(page, bout)}"
        svg.text(_MARGIN, at, name, weight=600)
        svg.text(400, at, page.words("holds.line", holds=report_text.holds(page, bout)))
        outcome, colour = report_text.relief(page, bout), _COUNT if bout.gone_at else _ALARM
        svg.text(WIDTH - _MARGIN, at, outcome, anchor="end", colour=colour, weight=600)
        at += 25
    facts = ("  ·  ").join(f"{name}: {value}" for name, value in report_text.facts(page))
    svg.text(_MARGIN, at, facts, colour=_ALARM if page.flags else SOFT)
    return at


# --- The ribbon ----------------------------------------------------------------------------------


class _Scale:
    """Maps times to x on the ribbon; long silences are shortened."""

    def __init__(self, times: Iterable[float]) -> None:
        self._times = sorted({0.0, *times})
        self._shown = [0.0]
        self.cuts: list[tuple[float, float]] = []
        """The middle of each shortened silence, in seconds, and how long it was."""
        for before, after in pairwise(self._times):
            gap = after - before
            if gap > _LONGEST_GAP_SECONDS:
                self.cuts.append(((before + after) / 2, gap))
            self._shown.append(self._shown[-1] + min(gap, _LONGEST_GAP_SECONDS))

    def x(self, at: float) -> float:
        """Return the x of a time, in pixels."""
        n = min(bisect_right(self._times, at), len(self._times) - 1)
        if n == 0:
            return _MARGIN
        before, after = self._times[n - 1], self._times[n]
        share = min(1.0, max(0.0, (at - before) / (after - before)))
        shown = self._shown[n - 1] + share * (self._shown[n] - self._shown[n - 1])
        return _MARGIN + _RIBBON_WIDTH * shown / (self._shown[-1] or 1.0)

    def is_cut(self, at: float) -> bool:
        """Return whether a time lies in a shortened silence."""
        return any(abs(at - middle) < gap / 2 for middle, gap in self.cuts)


def _draw_ribbon(svg: SvgPage, page: Page, at: float) -> float:
    """Draw the states as bands, counts as ticks and utterances below; return where it ends."""
    times = [row.at for row in page.rows] + [began for began, _ in page.bands]
    ticks = [tick for bout in page.bouts for held in bout.holds for tick in held.ticks]
    scale = _Scale([*times, *ticks, page.seconds])
    for (began, state), (end, _) in pairwise([*page.bands, (page.seconds, State.IDLE)]):
        left, right = scale.x(began), scale.x(end)
        svg.box(left, at, right - left - 1, _RIBBON_HEIGHT, _COLOURS[state], radius=3)
        words = report_text.state(page, state)
        if right - left > 7 * len(words) + 10:
            svg.text((left + right) / 2, at + 18, words, size=12, anchor="middle")
    for tick in ticks:
        svg.box(scale.x(tick) - 3, at + 26, 2, 13, "#ffffff")
    for middle, gap in scale.cuts:
        x = scale.x(middle)
        svg.box(x - 24, at + 24, 48, 16, "#ffffff", radius=8)
        svg.text(x, at + 36, f"{minutes_seconds(gap)}", size=11, colour=SOFT, anchor="middle")
    _draw_marks(svg, page, scale, at + _RIBBON_HEIGHT + 4)
    _draw_axis(svg, page, scale, at + _RIBBON_HEIGHT + 30)
    return at + _RIBBON_HEIGHT + 30


def _draw_marks(svg: SvgPage, page: Page, scale: _Scale, at: float) -> None:
    for row in page.rows:
        if row.kind in ("you", "missed"):
            x, colour = scale.x(row.at), _YOU if row.kind == "you" else "#a9b3bc"
            colour = _ALARM if row.is_alarm else colour
            svg.path(f"M{x:.1f} {at:.1f}l5 8h-10z", colour)


def _draw_axis(svg: SvgPage, page: Page, scale: _Scale, at: float) -> None:
    last = -100.0
    steps = (10, 15, 30, 60, 120, 300, 600)
    step = next((s for s in steps if page.seconds / s <= 14), 1800)
    step *= max(1, int(page.seconds // 1_800_000))  # at most two thousand places
    for second in range(0, int(page.seconds) + 1, step):
        x = scale.x(second)
        if x - last > 44 and not scale.is_cut(second):
            svg.text(x, at, minutes_seconds(second), size=12, colour=SOFT, anchor="middle")
            last = x


def _draw_legend(svg: SvgPage, page: Page, at: float) -> float:
    """Name the colours that occur, and the marks; return where it ends."""
    x = float(_MARGIN)
    used = {state for _, state in page.bands}
    entries = [
        (report_text.state(page, state), _COLOURS[state]) for state in _COLOURS if state in used
    ]
    entries += [(page.words("talk.you_spoke"), "")]
    entries += [(page.words("talk.missed"), "-")] if page.misses else []
    for words, colour in entries:
        width = 34 + 6.6 * len(words)
        if x + width > WIDTH - _MARGIN:
            x, at = float(_MARGIN), at + 22
        if colour.startswith("#"):
            svg.box(x, at - 11, 14, 14, colour, radius=3)
        else:
            svg.path(f"M{x + 7:.1f} {at - 8:.1f}l5 8h-10z", "#a9b3bc" if colour else _YOU)
        svg.text(x + 20, at, words, size=12, colour=SOFT)
        x += width
    return at


# --- The conversation ----------------------------------------------------------------------------


def _draw_talk(svg: SvgPage, page: Page, at: float) -> float:
    """Write the conversation next to a strip of its states; return where it ends."""
    before: State | None = None
    _draw_key(svg, page, at)
    at += 28
    for row in page.rows:
        lines = textwrap.wrap(printable(row.text).strip()[:_LONGEST_TEXT], _WRAP) or [""]
        height = _LINE_HEIGHT * len(lines) + 7
        svg.box(_MARGIN + 58, at, 10, height + 0.5, _COLOURS[row.state])
        svg.text(_MARGIN + 44, at + 17, minutes_seconds(row.at), size=12, colour=SOFT, anchor="end")
        if row.state is not before:
            words = report_text.state(page, row.state)
            svg.text(WIDTH - _MARGIN, at + 17, words, size=12, colour=SOFT, anchor="end")
        _draw_row(svg, page, row, lines, at)
        before = row.state
        at += height
    return at


def _draw_key(svg: SvgPage, page: Page, at: float) -> None:
    """Draw the key: Charley's style, the user's, and a dot."""
    charley, you = page.words("talk.charley_says"), page.words("talk.you_say")
    x = _TEXT_X + 16 + 6.6 * len(charley)
    svg.text(_TEXT_X, at + 12, charley, size=12, colour=SOFT)
    svg.box(x, at - 3, 20 + 6.6 * len(you), 21, "#e9f0f9", radius=10)
    svg.text(x + 10, at + 12, you, size=12, colour=_YOU, weight=600)
    x += 40 + 6.6 * len(you)
    svg.dot(x, at + 8, 5, _COUNT)
    svg.text(x + 10, at + 12, page.words("talk.one_count"), size=12, colour=SOFT)


def _draw_row(svg: SvgPage, page: Page, row: Row, lines: list[str], at: float) -> None:
    if row.held is not None:
        _draw_dots(svg, page, row.held, at + 13)
        return
    is_you = row.kind in ("you", "missed")
    colour = _ALARM if row.is_alarm else _YOU if is_you else INK
    if is_you:
        height = _LINE_HEIGHT * len(lines)
        back = "#fbe9e7" if row.is_alarm else "#e9f0f9" if row.kind == "you" else "#f1f3f5"
        svg.box(_TEXT_X - 10, at + 2, _width(lines) + 20, height + 3, back, radius=10)
    for number, line in enumerate(lines):
        y = at + 17 + number * _LINE_HEIGHT
        shown = page.words("talk.tone") if row.kind == "chime" else line
        is_italic = row.kind in ("missed", "chime", "interject")
        weight = 600 if row.kind == "you" else 400
        ink = SOFT if row.kind in ("missed", "chime") else colour
        svg.text(_TEXT_X, y, shown, colour=ink, weight=weight, italic=is_italic)
    if row.kind == "missed":
        x = _TEXT_X + _width(lines) + 22
        svg.text(x, at + 17, page.words("talk.missed"), size=12, colour=SOFT)


def _width(lines: Iterable[str]) -> float:
    """Return roughly how wide lines are in bold, in pixels; the font is the viewer's own."""
    narrow, wide = "fijlrt.,:;'!| ()", "mwMW"
    return max(
        sum(6.0 if char in narrow else 15.0 if char in wide else 10.2 for char in line)
        for line in lines
    )


def _draw_dots(svg: SvgPage, page: Page, held: Held, at: float) -> None:
    """Draw a dot for each count; counts that were not reached are rings."""
    step = min(22.0, _DOTS_WIDTH / max(1, held.of))
    for number in range(held.of):
        x = _TEXT_X + 6 + number * step
        svg.dot(x, at, 0.36 * step, _COUNT, is_full=number < len(held.ticks))
    counts = page.words("holds.counts", count=held.of)
    words = counts if held.is_whole else report_text.cut_place(page, held)
    svg.text(_TEXT_X + held.of * step + 12, at + 4, words, size=13, colour=_COUNT)
