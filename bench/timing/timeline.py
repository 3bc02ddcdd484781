"""A conversation as a picture: both waveforms, the words, the counts and the states over time.

    python -m bench.timing.timeline [--out timeline.svg]

A synthetic runner talks with Charley as in `charley demo`: really spoken, recognised and answered.
"""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from assistant.audio.pcm import Pcm
from assistant.content import language_pack
from assistant.dialogue.actions import Action
from assistant.dialogue.events import Event
from assistant.dialogue.turn import State
from assistant.frontends.demo import Demo, Remark
from assistant.paths import intents_folder
from assistant.session import factory
from assistant.settings import Settings
from bench.charts import document, text
from bench.paths import FIGURES

PAGES = language_pack.load(intents_folder()).ui_text

SCRIPT = ("my left calf is cramping", "skip to the hold", "#4 how long left", "gone")
ROW_SECONDS, WIDTH, LEFT = 15.0, 1000, 76
SPAN = WIDTH - LEFT - 40
WORDS, WAVE, BAND = 46, 40, 20
"""Pixels: what Charley says, half a waveform's lane, the band of states."""
ROW = WORDS + 2 * WAVE + 32 + BAND + 40
STRIP = 3
"""Pixels of one step of a waveform."""
COLOURS = {
    State.IDLE: "#8a96a1", State.GUIDING: "#3f7fc4", State.HOLDING: "#2c7d5b",
    State.CHECKING: "#8a5cc0", State.EASING: "#5b8f2f", State.ASKING: "#b58200",
}  # fmt: skip


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
    parts = [
        text(12, 26, "A cramp, coached: what is heard, what is said, and where Charley is", "t"),
        text(12, 46, "Every dot is one count of the hold; they stand exactly a second apart.", "s"),
    ]
    for row in range(rows):
        parts += _row(take, row * ROW_SECONDS, 64 + row * ROW)
    return document(WIDTH, 64 + rows * ROW, "A conversation with Charley over time", parts)


def _row(take: Take, first: float, top: float) -> Iterator[str]:
    last = first + ROW_SECONDS

    def x(at: float) -> float:
        return LEFT + (min(max(at, first), last) - first) / ROW_SECONDS * SPAN

    speaker, microphone = top + WORDS + WAVE / 2, top + WORDS + WAVE * 1.5 + 6
    heard, band = top + WORDS + 2 * WAVE + 20, top + WORDS + 2 * WAVE + 32
    yield text(LEFT - 10, speaker + 5, "Charley", "e b c0")
    yield text(LEFT - 10, microphone + 5, "You", "e b c2")
    yield text(LEFT - 10, heard, "heard", "e s")
    yield text(LEFT - 10, band + 14, "state", "e s")
    yield _wave(take.speaker, first, speaker, 0)
    yield _wave(take.microphone, first, microphone, 2)
    within = [r for r in take.remarks if first <= r.at < last]
    spoken = [r for r in within if r.speaker == "charley"]
    ends = [r.at for r in spoken[1:]] + [last]
    for remark, end in zip(spoken, ends, strict=True):
        fits = max(9, int((x(end) - x(remark.at)) / 6.6))
        for n, words in enumerate(textwrap.wrap(remark.text, fits)[:3]):
            yield text(x(remark.at), top + 12 + 15 * n, words, "c0")
    for remark in within:
        if remark.speaker == "count":
            at, level = x(remark.at), speaker - WAVE / 2
            yield f'<circle class="c0" cx="{at:.1f}" cy="{level - 4:.1f}" r="4"/>'
            yield text(at + 7, level, remark.text, "b")
        elif remark.speaker == "heard":
            yield f'<path class="c2 l" d="M{x(remark.at):.1f} {microphone:.1f}V{heard - 12:.1f}"/>'
            words = re.sub(r"→ (control|ask|relief)_", "→ ", remark.text).replace("_", " ")
            yield text(min(x(remark.at), WIDTH - 12 - 7.2 * len(words)), heard, words, "c2")
    yield from _states(take, first, last, x, band)
    for second in range(int(first), int(last) + 1, 5):
        yield text(x(second), band + BAND + 14, f"{second // 60}:{second % 60:02}", "s n")


def _wave(sound: Pcm, first: float, middle: float, colour: int) -> str:
    """Return one lane's waveform: the loudest sample of each strip, up and down."""
    start, count = round(first * sound.rate), round(ROW_SECONDS * sound.rate)
    piece = np.abs(sound.samples[start : start + count].astype(np.float64)) / 32767
    piece = np.pad(piece, (0, count - len(piece)))
    loudest = [float(part.max()) for part in np.array_split(piece, int(SPAN / STRIP))]
    heights = [max(0.5, min(1.0, loud * 1.7) * WAVE / 2) for loud in loudest]
    edge = [f"{LEFT + STRIP * n} {middle - h:.0f}" for n, h in enumerate(heights)]
    back = [f"{LEFT + STRIP * n} {middle + h:.0f}" for n, h in enumerate(heights)][::-1]
    return f'<path class="c{colour}" d="M{"L".join([*edge, *back])}z"/>'


def _states(take: Take, first: float, last: float, x: object, at: float) -> Iterator[str]:
    """Yield the band of states."""
    for (began, state), (end, _) in pairwise([*take.states, (take.speaker.seconds, State.IDLE)]):
        if began < last and end > first:
            left, right = x(began), x(end)  # type: ignore[operator]
            yield (
                f'<rect x="{left:.1f}" y="{at:.1f}" width="{max(1.0, right - left - 1):.1f}" '
                f'height="{BAND}" rx="3" fill="{COLOURS.get(state, "#b3261e")}"/>'
            )
            words = PAGES(f"states.{state}")
            if right - left > 7 * len(words):
                yield (
                    f'<text x="{(left + right) / 2:.1f}" y="{at + 14:.1f}" '
                    f'style="fill:#fff;text-anchor:middle">{words}</text>'
                )


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
