"""Whether the clocks of a running `charley run` stay together, each against the monotonic one.

They are the speaker's, the microphone's and the conversation's. MONITOR runs inside the process and
writes a line each second; `read` makes a finding of them. A sound card may ask late but never
early, so what counts of ten seconds is the most ahead that it was. Where the speaker ran dry or the
microphone lost sound there is a gap; Charley counts and tells them, and what is lost so is no
drift. What is lost without a word is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np

Line = dict[str, float]
"""What the monitor writes each second."""

MOST_PPM = 100.0
"""How much faster or slower a sound card may run: what the worst crystals do."""
GAP_SECONDS = 0.05
"""So much less from one window to the next is sound that was lost."""
SETTLE_SECONDS = 10.0
"""Until then everything is still being loaded."""
WINDOW_SECONDS = 10.0
FEWEST_WINDOWS = 3
"""Fewer between two gaps tell no slope."""
CAUGHT_UP_SECONDS = 0.5
"""Sound that may wait at the end."""

MONITOR = """
import json, threading, time
from assistant.frontends.live import loop, microphone_input, speaker_output
seen = {{"clock": None, "played": [], "heard": [], "waits": [], "dry": 0, "lost": 0}}
class Timeline(speaker_output.Timeline):
    def read(self, frames):
        sound = super().read(frames)
        seen["played"].append(self.position_samples / self.rate - time.monotonic())
        return sound
class Speaker(speaker_output.Speaker):
    def __init__(self, *words):
        super().__init__(*words)
        seen["dry"] += 1
    def _callback(self, *words):
        before = self.underflows
        super()._callback(*words)
        seen["dry"] += self.underflows - before
class Microphone(microphone_input.Microphone):
    seconds = 0.0
    def __init__(self, *words):
        super().__init__(*words)
        seen["lost"] += 1
    def _callback(self, data, frames, *rest):
        before = self.overflows + self.dropped_blocks
        super()._callback(data, frames, *rest)
        seen["lost"] += self.overflows + self.dropped_blocks - before
        Microphone.seconds += frames / self.rate
        seen["heard"].append(Microphone.seconds - time.monotonic())
        seen["waits"].append(self.behind_seconds)
class SystemClock(loop.SystemClock):
    def __init__(self):
        super().__init__()
        seen["clock"] = self
speaker_output.Timeline, speaker_output.Speaker = Timeline, Speaker
microphone_input.Microphone = Microphone
loop.SystemClock = SystemClock
def note():
    with open({path!r}, "w", buffering=1) as file:
        while True:
            time.sleep(1)
            line = {{"dry": seen["dry"], "lost": seen["lost"]}}
            for name in ("played", "heard", "waits"):
                values, seen[name] = seen[name], []
                line[name] = max(values, default=None)
            if seen["clock"]:
                line["told"] = seen["clock"].now() - time.monotonic()
            line["at"] = time.monotonic()
            file.write(json.dumps(line) + chr(10))
threading.Thread(target=note, daemon=True).start()
"""
"""Needs `path`, where to write."""


@dataclass(frozen=True, slots=True)
class Course:
    """One clock against the monotonic one."""

    name: str
    ppm: float
    """How much faster it runs, between its gaps."""
    worst_ms: float
    """Farthest from a straight line between two gaps."""
    gaps: int
    """Times that sound was lost, as Charley counted them."""
    gaps_ms: float
    """How much in all."""
    untold_ms: float
    """What was lost and not counted."""

    def __str__(self) -> str:
        """Return it as a line for people."""
        an_hour = 3.6 * self.ppm
        return (
            f"{self.name:12} {self.ppm:+7.2f} ppm ({an_hour:+.1f} ms an hour), {self.worst_ms:.1f}"
            f" ms off a line at most; {self.gaps} gaps told, {self.gaps_ms:.0f} ms in all;"
            f" {self.untold_ms:.0f} ms lost untold"
        )

    @property
    def problems(self) -> list[str]:
        """What is wrong with it."""
        found = []
        if abs(self.ppm) > MOST_PPM:
            found.append(f"the {self.name} drifts by {self.ppm:.0f} ppm")
        if self.untold_ms:
            found.append(f"the {self.name} lost {self.untold_ms:.0f} ms and nobody was told")
        return found


@dataclass(frozen=True, slots=True)
class Finding:
    """All clocks of one run."""

    courses: tuple[Course, ...]
    skipped_ms: float
    """What was left out of the conversation's time since it began."""
    waited_most_seconds: float
    """The oldest sound that waited for the recogniser."""
    waits_seconds: float
    """The same at the end."""

    @property
    def lost_ms(self) -> float:
        """What was lost of either sound without a word."""
        return sum(course.untold_ms for course in self.courses)

    def problems(self, stood_still_seconds: float) -> list[str]:
        """What is wrong; the conversation told of so many seconds in which all stood still."""
        found = [problem for course in self.courses for problem in course.problems]
        untold_ms = self.skipped_ms - 1000 * stood_still_seconds
        if abs(untold_ms) > 1.0:
            found.append(f"the conversation's clock is {untold_ms:.0f} ms off and nobody was told")
        if self.waits_seconds > CAUGHT_UP_SECONDS:
            found.append(f"{self.waits_seconds:.1f} s of sound still wait to be heard")
        return found

    def __str__(self) -> str:
        """Return it as lines for people."""
        waits = f"{self.waited_most_seconds:.2f} s at most, {self.waits_seconds:.2f} s at last"
        lines = [f"  {course}" for course in self.courses]
        lines.append(f"  conversation {self.skipped_ms:.0f} ms left out; microphone waits {waits}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Window:
    """Some seconds of one clock."""

    at: float
    ahead: float
    """Seconds that it was ahead of the monotonic clock at most, less a constant."""
    gaps: int
    """Told so far."""


def read(path: Path) -> Finding:
    """Return what a monitor's file tells so far."""
    text = path.read_text("utf-8") if path.exists() else ""
    lines = [json.loads(line) for line in text.splitlines() if line[-1:] == "}"]
    lines = [line for line in lines if line.get("told") is not None]
    if not lines:
        return Finding((), 0.0, 0.0, 0.0)
    lines = [line for line in lines if line["at"] - lines[0]["at"] >= SETTLE_SECONDS] or lines[-1:]
    waits = [line["waits"] for line in lines if line["waits"] is not None] or [0.0]
    return Finding(
        (
            _course("speaker", _windows(lines, "played", "dry")),
            _course("microphone", _windows(lines, "heard", "lost")),
        ),
        1000 * (lines[0]["told"] - lines[-1]["told"]),
        max(waits),
        waits[-1],
    )


def _windows(lines: Sequence[Line], ahead: str, gaps: str) -> list[Window]:
    """Return one clock's windows; the last one, which may be short, is left out."""
    found: dict[int, list[Line]] = {}
    for line in lines:
        if line[ahead] is not None:
            found.setdefault(int((line["at"] - lines[0]["at"]) / WINDOW_SECONDS), []).append(line)
    windows = []
    for rows in list(found.values())[:-1]:
        since = [row for row in rows if row[gaps] == rows[-1][gaps]]  # the last gap in it
        best = max(since, key=lambda row: row[ahead])
        windows.append(Window(best["at"], best[ahead], round(best[gaps])))
    return windows


def _course(name: str, windows: Sequence[Window]) -> Course:
    """Follow one clock from gap to gap."""
    told = untold = 0.0
    for before, after in pairwise(windows):
        lost = before.ahead - after.ahead
        if after.gaps != before.gaps:
            told += max(0.0, lost)
        elif lost > GAP_SECONDS:
            untold += lost
    slopes, weights, worst = [0.0], [0.0], 0.0
    for _, group in groupby(windows, key=lambda window: window.gaps):
        stretch = list(group)
        if len(stretch) >= FEWEST_WINDOWS:
            at = np.array([window.at - stretch[0].at for window in stretch])
            ahead = np.array([window.ahead for window in stretch])
            slope, begin = np.polyfit(at, ahead, 1)
            slopes.append(1e6 * float(slope))
            weights.append(float(at[-1]))
            worst = max(worst, 1000 * float(np.abs(ahead - begin - slope * at).max()))
    ppm = float(np.average(slopes, weights=weights)) if sum(weights) else 0.0
    gaps = windows[-1].gaps - windows[0].gaps if windows else 0
    return Course(name, ppm, worst, gaps, 1000 * told, 1000 * untold)
