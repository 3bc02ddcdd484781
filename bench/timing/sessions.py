"""Measure how many conversations one core holds.

    python -m bench.timing.sessions [--sessions 1 8 16 24] [--json]

`charley serve` runs on one core, the callers on the others. Each caller streams its microphone in
real time and repeats the same round: it names a cramp, and says "stop" while Charley speaks. For
each number of callers the bench measures the time from the end of "stop" to the first sample of the
answer at the caller, the time from a block's arrival to its answers, how late speech arrived, the
share of the core, and the memory. A number is held if every goal is met and nothing was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import os
import statistics
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from assistant.asr.hypothesis import RATE
from assistant.audio.pcm import Pcm, Samples
from assistant.audio.shaping import resample, trim_silence
from assistant.session import factory, voices
from assistant.settings import Settings
from assistant.tts.pyttsx3_voice import Pyttsx3Voice
from bench.endurance.fuzz import UNDERSTOOD, metrics
from bench.processes import cpu_seconds, resident_mb
from tests.support.listening import place
from tests.support.network import Caller, Heard, Serving, free_port, serving

CRAMP, STOP = "my left calf is cramping", "stop"
ANSWER = "Okay. I'm here if you need me."
ENOUGH_SECONDS = 1.0
"""Length of the beginning of the answer that is searched for."""
INTERRUPT_SECONDS = 3.0
REST_SECONDS = 4.0
STOP_GOAL_MS = 400.0
BLOCK_GOAL_MS = 50.0


@dataclass(frozen=True, slots=True)
class Load:
    """The figures of a number of conversations at once."""

    sessions: int
    core_percent: float
    memory_mb: float
    stop_median_ms: float
    stop_95_ms: float
    block_95_ms: float
    late_worst_ms: float
    """Of speech, against the moment when it is due; above 0 there is a gap."""
    understood: float
    """Share of the utterances."""
    dropped_seconds: float

    @property
    def held(self) -> bool:
        """True if every goal was met."""
        return (
            self.stop_95_ms <= STOP_GOAL_MS
            and self.block_95_ms <= BLOCK_GOAL_MS
            and self.late_worst_ms <= 0
            and not self.dropped_seconds
        )


class Prompts:
    """What is said and answered, as sound."""

    def __init__(self) -> None:
        voice = Pyttsx3Voice("en-us+m3", 150)
        self.cramp, self.stop = (self._spoken(voice, text) for text in (CRAMP, STOP))
        said = trim_silence(
            voices.voice(factory.pack(Settings()), Settings(), print).render(ANSWER)
        )
        self.answer = Pcm(said.samples[: round(ENOUGH_SECONDS * said.rate)], said.rate)

    def _spoken(self, voice: Pyttsx3Voice, text: str) -> Samples:
        return trim_silence(resample(voice.render(text), RATE), 0.02, 0.02).samples


async def call(port: int, words: Prompts, until: float, found: list[Call]) -> None:
    """Repeat the round until a moment on the monotonic clock."""
    async with Caller(port) as caller:
        stops: list[float] = []
        while time.monotonic() < until and caller.is_connected:
            await caller.says(words.cramp)
            await asyncio.sleep(INTERRUPT_SECONDS)
            stops.append(await caller.says(words.stop))
            await asyncio.sleep(REST_SECONDS)
        found.append(Call(caller, stops))


@dataclass(frozen=True, slots=True)
class Call:
    """A caller, and each time at which it finished saying "stop"."""

    caller: Caller
    stops: list[float]

    def delays_ms(self, words: Prompts) -> list[float]:
        """Return how long after each "stop" the answer began, at a perfect satellite."""
        delays = []
        for stop in self.stops:
            stream = _playing(self.caller.streams, stop)
            if stream is None:
                continue
            at = stop - stream.began
            if stream.sound.seconds < at + words.answer.seconds:
                continue
            with contextlib.suppress(AssertionError):
                begins = place(stream.sound, words.answer, at - 0.5, at + 2.0)
                delays.append(1000 * (begins - at))
        return delays


def _playing(streams: Iterable[Heard], at: float) -> Heard | None:
    """Return the stream that was under way at a moment."""
    begun = [stream for stream in streams if stream.began <= at]
    return begun[-1] if begun else None


def block_95_ms(before: dict[str, float], after: dict[str, float]) -> float:
    """Return the upper bound of the histogram's bucket that holds the 95th percentile."""
    name = 'charley_block_seconds_bucket{le="'
    rows = [
        (float(key[len(name) : -2]), after[key] - before.get(key, 0.0))
        for key in after
        if key.startswith(name)
    ]
    rows.sort()
    return next(1000 * bound for bound, count in rows if count >= 0.95 * rows[-1][1])


async def calls(port: int, words: Prompts, sessions: int, seconds: float) -> list[Call]:
    """Let callers talk for that many seconds, out of step with each other."""
    found: list[Call] = []
    until = time.monotonic() + seconds

    async def later(number: int) -> None:
        await asyncio.sleep(REST_SECONDS * number / sessions)
        await call(port, words, until, found)

    await asyncio.gather(*(later(number) for number in range(sessions)))
    return found


def measure(
    server: Serving, ports: tuple[int, int], words: Prompts, sessions: int, seconds: float
) -> Load:
    """Put a load on the server and measure it."""
    port, health = ports
    pid, before = server.process.pid, metrics(health)
    cpu, began = cpu_seconds(pid), time.monotonic()
    found = asyncio.run(calls(port, words, sessions, seconds))
    wall, used, after = time.monotonic() - began, cpu_seconds(pid) - cpu, metrics(health)
    delays = sorted(d for one in found for d in one.delays_ms(words)) or [float("inf")]
    said = 2 * sum(len(one.stops) for one in found)
    dropped = "charley_dropped_audio_seconds_total"
    return Load(
        sessions=sessions,
        core_percent=round(100 * used / wall, 1),
        memory_mb=round(resident_mb(pid), 1),
        stop_median_ms=round(statistics.median(delays), 1),
        stop_95_ms=round(delays[math.ceil(0.95 * len(delays)) - 1], 1),
        block_95_ms=block_95_ms(before, after),
        late_worst_ms=round(1000 * max(max(one.caller.late_seconds) for one in found), 1),
        understood=round((after[UNDERSTOOD] - before.get(UNDERSTOOD, 0.0)) / said, 3),
        dropped_seconds=after[dropped] - before[dropped],
    )


def main() -> None:
    """Measure each number of sessions and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 4, 8, 16, 24, 32])
    parser.add_argument("--seconds", type=float, default=40.0, help="for each number")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    wanted = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("Two cores are needed: one for the server, one for the callers.")
    words, health = Prompts(), free_port()
    flags = ("--uri", "tcp://127.0.0.1:0", "--health", f"tcp://127.0.0.1:{health}")
    limit = ("--sessions", str(max(wanted.sessions)))
    os.sched_setaffinity(0, cores[:1])  # the server inherits it
    with serving(*flags, *limit) as server:
        port = server.port()
        os.sched_setaffinity(0, cores[1:])
        loads = []
        for number in wanted.sessions:
            load = measure(server, (port, health), words, number, wanted.seconds)
            print(json.dumps(asdict(load)) if wanted.json else row(load), flush=True)
            loads.append(load)
    if not wanted.json and len(loads) > 1:
        first, last = loads[0], loads[-1]
        each = (last.memory_mb - first.memory_mb) / max(1, last.sessions - first.sessions)
        print(f"{each:.1f} MB for each additional session")


def row(load: Load) -> str:
    """Return a load as a line for people."""
    parts = (
        f"{load.sessions:3} sessions: {load.core_percent:5.1f} % of the core",
        f"{load.memory_mb:4.0f} MB",
        f"stop {load.stop_median_ms:.0f} ms (95 %: {load.stop_95_ms:.0f})",
        f"block 95 % under {load.block_95_ms:.0f} ms",
        f"speech {load.late_worst_ms:.0f} ms late at worst",
        f"{100 * load.understood:.1f} % understood",
        "held" if load.held else "not held",
    )
    return "; ".join(parts)


if __name__ == "__main__":
    main()
