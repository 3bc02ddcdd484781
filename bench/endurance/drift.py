"""Whether the clocks of a running `charley run` stay together, each against the monotonic one.

They are the speaker's, the microphone's and the conversation's. `monitor` runs inside the process
and writes a line each second; `read` turns these lines into a finding. A sound card may ask late
but never early, so of each ten seconds the most that it was ahead counts. Where the speaker ran dry
or the microphone lost sound there is a gap. Charley counts and reports those, and sound lost in
them is not drift; sound lost without a report is.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from assistant.audio.microphone import Microphone
from assistant.audio.pcm import Samples
from assistant.audio.speaker import Speaker
from assistant.clock import SystemClock
from assistant.frontends.live import loop, microphone_input, speaker_output
from assistant.playback.timeline import Timeline

Line = dict[str, float]
"""What the monitor writes each second."""

MOST_PPM = 100.0
"""How much faster or slower a sound card may run: what the worst crystals do."""
GAP_SECONDS = 0.05
"""A drop by this much from one window to the next means that sound was lost."""
SETTLE_SECONDS = 10.0
"""Ignored at the beginning, while everything is being loaded."""
WINDOW_SECONDS = 10.0
FEWEST_WINDOWS = 3
"""Fewer windows between two gaps do not give a slope."""
CAUGHT_UP_SECONDS = 0.5
"""Sound that may wait at the end."""


class Seen:
    """What the parts of a running process have seen since the last line."""

    def __init__(self) -> None:
        self.clock: SystemClock | None = None
        self.ahead: dict[str, list[float]] = {"played": [], "heard": [], "waits": []}
        """Seconds that speaker and microphone were ahead of the clock; and of sound that waited."""
        self.gaps = {"dry": 0, "lost": 0}
        """Gaps that speaker and microphone have counted so far; each opening is one."""
        self.heard_seconds = 0.0

    def line(self) -> dict[str, float | None]:
        """Return what is written now, and begin the next line."""
        line: dict[str, float | None] = dict(self.gaps)
        for name, values in self.ahead.items():
            line[name] = max(values, default=None)
            values.clear()
        if self.clock:
            line["told"] = self.clock.now() - time.monotonic()
        return line | {"at": time.monotonic()}


def monitor(path: str) -> None:
    """Follow the clocks of the `charley run` that begins next in this process; write to a file."""
    seen = Seen()
    follow(seen)
    threading.Thread(target=_write, args=(seen, path), daemon=True).start()


def follow(seen: Seen) -> None:
    """Let the live loop use parts that note their clocks. TypeError if it has no such parts."""
    for module, name, part in (
        (speaker_output, "Timeline", _timeline(seen)),
        (speaker_output, "Speaker", _speaker(seen)),
        (microphone_input, "Microphone", _microphone(seen)),
        (loop, "SystemClock", _clock(seen)),
    ):
        if getattr(module, name, None) is not part.__base__:
            raise TypeError(f"{module.__name__} has no {name} to follow.")
        setattr(module, name, part)


def _write(seen: Seen, path: str) -> None:
    with open(path, "w", buffering=1, encoding="utf-8") as file:  # noqa: PTH123  # line by line
        while True:
            time.sleep(1)
            file.write(f"{json.dumps(seen.line())}\n")


def _timeline(seen: Seen) -> type[Timeline]:
    class Followed(Timeline):
        def read(self, frames: int) -> Samples:
            sound = super().read(frames)
            ahead = self.position_samples / self.rate - time.monotonic()
            seen.ahead["played"].append(ahead)
            return sound

    return Followed


def _speaker(seen: Seen) -> type[Speaker]:
    class Followed(Speaker):
        def __init__(self, *options: Any) -> None:
            super().__init__(*options)
            seen.gaps["dry"] += 1

        def _callback(self, data: Any, frames: int, time: Any, status: Any) -> None:
            before = self.underflows
            super()._callback(data, frames, time, status)
            seen.gaps["dry"] += self.underflows - before

    return Followed


def _microphone(seen: Seen) -> type[Microphone]:
    class Followed(Microphone):
        def __init__(self, *options: Any) -> None:
            super().__init__(*options)
            seen.gaps["lost"] += 1

        def _callback(self, data: Any, frames: int, *rest: Any) -> None:
            before = self.overflows + self.dropped_blocks
            super()._callback(data, frames, *rest)
            seen.gaps["lost"] += self.overflows + self.dropped_blocks - before
            seen.heard_seconds += frames / self.rate
            seen.ahead["heard"].append(seen.heard_seconds - time.monotonic())
            seen.ahead["waits"].append(self.behind_seconds)

    return Followed


def _clock(seen: Seen) -> type[SystemClock]:
    class Followed(SystemClock):
        def __init__(self) -> None:
            super().__init__()
            seen.clock = self

    return Followed


# --- What it comes to ----------------------------------------------------------------------------


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
    """Seconds lost in total."""
    unreported_ms: float
    """Seconds lost without being counted."""

    def __str__(self) -> str:
        """Return it as a line for people."""
        an_hour = 3.6 * self.ppm
        return (
            f"{self.name:12} {self.ppm:+7.2f} ppm ({an_hour:+.1f} ms an hour), {self.worst_ms:.1f}"
            f" ms off a line at most; {self.gaps} reported gaps, {self.gaps_ms:.0f} ms in all;"
            f" {self.unreported_ms:.0f} ms lost without a report"
        )

    @property
    def problems(self) -> list[str]:
        """Its problems."""
        found = []
        if abs(self.ppm) > MOST_PPM:
            found.append(f"the {self.name} drifts by {self.ppm:.0f} ppm")
        if self.unreported_ms:
            found.append(f"the {self.name} lost {self.unreported_ms:.0f} ms without a report")
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
        """What was lost of either sound without a report."""
        return sum(course.unreported_ms for course in self.courses)

    def problems(self, stood_still_seconds: float) -> list[str]:
        """What is wrong; the conversation reported `stood_still_seconds` in which nothing ran."""
        found = [problem for course in self.courses for problem in course.problems]
        unreported_ms = self.skipped_ms - 1000 * stood_still_seconds
        if abs(unreported_ms) > 1.0:
            found.append(f"the conversation's clock is {unreported_ms:.0f} ms off without a report")
        if self.waits_seconds > CAUGHT_UP_SECONDS:
            found.append(f"{self.waits_seconds:.1f} s of sound still wait to be heard")
        return found

    def __str__(self) -> str:
        """Return it as lines for people."""
        waits = f"{self.waited_most_seconds:.2f} s at most, {self.waits_seconds:.2f} s at the end"
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
    """Reported so far."""


def read(path: Path) -> Finding:
    """Return the finding of a monitor's file so far."""
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
    reported = unreported = 0.0
    for before, after in pairwise(windows):
        lost = before.ahead - after.ahead
        if after.gaps != before.gaps:
            reported += max(0.0, lost)
        elif lost > GAP_SECONDS:
            unreported += lost
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
    return Course(name, ppm, worst, gaps, 1000 * reported, 1000 * unreported)
