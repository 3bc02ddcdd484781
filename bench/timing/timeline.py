"""Draw a conversation over time: both waveforms, the words, the counts and the states.

    python -m bench.timing.timeline [--out timeline.svg]

A synthetic runner talks with Charley as in `charley demo`: really spoken, recognised and answered.
"""

from __future__ import annotations

import argparse
import re
import textwrap
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from assistant.audio.pcm import FULL_SCALE, Pcm
from assistant.content import language_pack
from assistant.dialogue.actions import Action
from assistant.dialogue.events import Event
from assistant.dialogue.state import State
from assistant.exports.svg import SOFT, WIDTH, SvgPage
from assistant.frontends.demo import Demo, Remark
from assistant.paths import intents_folder
from assistant.session import factory
from assistant.settings import Settings
from bench import charts
from bench.charts import BLUE, GREEN
from bench.paths import FIGURES

PAGES = language_pack.load(intents_folder()).ui_text

SCRIPT = ("my left calf is cramping", "skip to the hold", "#4 how long left", "gone")
ROW_SECONDS = 15.0
LEFT = 76
ROOM_SECONDS = 1.5
"""Words that begin so shortly before the end of a row are written in the next."""
SPAN = WIDTH - LEFT - 40
"""Pixels: the labels, and a row's seconds."""
WORDS, WAVE, BAND = 46, 40, 20
"""Pixels: what Charley says, a lane of waveform, the band of states."""
ROW = WORDS + 2 * WAVE + 32 + BAND + 40
STRIP = 3
"""Pixels of one step of a waveform."""
STATES = {
    State.IDLE: "#8a96a1", State.GUIDING: "#3f7fc4", State.HOLDING: "#2d7d5b",
    State.CHECKING: "#8a5cc0", State.EASING: "#5b8f2f", State.ASKING: "#b58200",
}  # fmt: skip
"""Dark enough for white words on light pages and on dark ones."""
OTHER_STATE = "#b3271e"


@dataclass(slots=True)
class Take:
    """A conversation with all that is drawn of it."""

    remarks: list[Remark] = field(default_factory=list)
    states: list[tuple[float, State]] = field(default_factory=list)
    speaker: Pcm = field(default_factory=lambda: Pcm(np.zeros(0, np.int16), 1))
    microphone: Pcm = field(default_factory=lambda: Pcm(np.zeros(0, np.int16), 1))


def taken() -> Take:
    """Let the conversation happen."""
    take = Take()

    def watch(event: Event, _actions: tuple[Action, ...]) -> None:
        if not take.states or take.states[-1][1] is not demo.state:
            take.states.append((event.at, demo.state))

    demo = Demo(
        factory.language(Settings()),
        Settings(),
        SCRIPT,
        show=take.remarks.append,
        watch=watch,
    )
    take.speaker, take.microphone, _ = demo.tracks()
    return take


def draw(take: Take) -> str:
    """Return the picture."""
    rows = int(take.speaker.seconds // ROW_SECONDS) + 1
    title = "A cramp, coached: what is heard, what is said, and where Charley is"
    svg = charts.svg_page(WIDTH)
    svg.text(12, 26, title, size=16, weight=600)
    svg.text(
        12,
        46,
        "Every dot is one count of the hold; they stand exactly a second apart.",
        colour=SOFT,
    )
    for row in range(rows):
        _Row(svg, take, row * ROW_SECONDS, 64 + row * ROW).draw()
    return svg.document(64 + rows * ROW, "A conversation with Charley over time")


class _Row:
    """Some seconds of the conversation, side by side in lanes."""

    def __init__(self, svg: SvgPage, take: Take, first: float, top: float) -> None:
        self._svg, self._take = svg, take
        self._first, self._last = first, first + ROW_SECONDS
        self._top = top
        self._speaker, self._microphone = top + WORDS + WAVE / 2, top + WORDS + WAVE * 1.5 + 6
        self._heard, self._band = top + WORDS + 2 * WAVE + 20, top + WORDS + 2 * WAVE + 32

    def draw(self) -> None:
        """Draw everything."""
        for y, name, colour in (
            (self._speaker + 5, "Charley", GREEN), (self._microphone + 5, "You", BLUE),
            (self._heard, "heard", SOFT), (self._band + 14, "state", SOFT),
        ):  # fmt: skip
            weight = 400 if colour == SOFT else 600
            self._svg.text(LEFT - 10, y, name, colour=colour, weight=weight, anchor="end")
        self._draw_wave(self._take.speaker, self._speaker, GREEN)
        self._draw_wave(self._take.microphone, self._microphone, BLUE)
        self._draw_words()
        for remark in self._within():
            if remark.speaker == "count":
                self._draw_count(remark)
            elif remark.speaker == "heard":
                self._draw_heard(remark)
        self._draw_states()
        for second in range(int(self._first), int(self._last) + 1, 5):
            name = f"{second // 60}:{second % 60:02}"
            y = self._band + BAND + 14
            self._svg.text(self._x(second), y, name, colour=SOFT, anchor="middle")

    def _x(self, at: float) -> float:
        within = min(max(at, self._first), self._last) - self._first
        return LEFT + within / ROW_SECONDS * SPAN

    def _within(self) -> list[Remark]:
        return [r for r in self._take.remarks if self._first <= r.at < self._last]

    def _draw_wave(self, sound: Pcm, middle: float, colour: str) -> None:
        """Draw the loudest sample of each strip, up and down."""
        start, count = round(self._first * sound.rate), round(ROW_SECONDS * sound.rate)
        piece = np.abs(sound.samples[start : start + count].astype(np.float64)) / FULL_SCALE
        piece = np.pad(piece, (0, count - len(piece)))
        loudest = [float(part.max()) for part in np.array_split(piece, int(SPAN / STRIP))]
        heights = [max(0.75, min(1.0, loud * 1.7) * WAVE / 2) for loud in loudest]
        edge = [f"{LEFT + STRIP * n} {middle - h:.1f}" for n, h in enumerate(heights)]
        back = [f"{LEFT + STRIP * n} {middle + h:.1f}" for n, h in enumerate(heights)][::-1]
        self._svg.path(f"M{'L'.join([*edge, *back])}z", colour)

    def _draw_words(self) -> None:
        """Write what Charley says above the sound of it."""
        lines = [(_shown_at(r.at), r.text) for r in self._take.remarks if r.speaker == "charley"]
        lines = [line for line in lines if self._first <= line[0] < self._last]
        ends = [at for at, _ in lines[1:]] + [self._last]
        for (at, text), end in zip(lines, ends, strict=True):
            fits = max(9, int((self._x(end) - self._x(at)) / 6.6))
            for n, words in enumerate(textwrap.wrap(text, fits)[:3]):
                self._svg.text(self._x(at), self._top + 12 + 15 * n, words, colour=GREEN)

    def _draw_count(self, remark: Remark) -> None:
        at, level = self._x(remark.at), self._speaker - WAVE / 2
        self._svg.dot(at, level - 4, 4, GREEN)
        self._svg.text(at + 7, level, remark.text, weight=600)

    def _draw_heard(self, remark: Remark) -> None:
        at = self._x(remark.at)
        words = re.sub(r"→ (control|ask|relief)_", "→ ", remark.text).replace("_", " ")
        self._svg.line([(at, self._microphone), (at, self._heard - 12)], BLUE)
        left = min(at, WIDTH - 12 - 7.2 * len(words))
        self._svg.text(left, self._heard, words, colour=BLUE)

    def _draw_states(self) -> None:
        bands = pairwise([*self._take.states, (self._take.speaker.seconds, State.IDLE)])
        for (began, state), (end, _) in bands:
            if began >= self._last or end <= self._first:
                continue
            left, right = self._x(began), self._x(end)
            width, colour = max(1.0, right - left - 1), STATES.get(state, OTHER_STATE)
            self._svg.box(left, self._band, width, BAND, colour, radius=3)
            words = PAGES(f"states.{state}")
            if right - left > 7 * len(words):
                middle = (left + right) / 2
                self._svg.text(middle, self._band + 14, words, colour="#ffffff", anchor="middle")


def _shown_at(at: float) -> float:
    """Return where words are written: in the next row if this one has no room for them."""
    left_seconds = ROW_SECONDS - at % ROW_SECONDS
    return at + left_seconds if left_seconds < ROOM_SECONDS else at


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=FIGURES / "timeline.svg")
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(draw(taken()), "utf-8")
    print(options.out)


if __name__ == "__main__":
    main()
