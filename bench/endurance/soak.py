"""Let random users talk for hours, to see whether anything grows, drifts or gets lost.

    python -m bench.endurance.soak [--virtual-hours 8] [--real-minutes 5] [--out DIR] [--seed 0]

Virtual: the session with the real matcher, voice and timeline, in lockstep on a clock that jumps;
users say phrases of their language and nonsense, and microphones come and go. Real: `charley run`
on a virtual sound card, spoken to by synthetic voices. Both keep a ledger of what was begun and
must end, and write memory, threads and open files at intervals to DIR/virtual.csv and
DIR/real.csv; the clocks of the real process are in DIR/clocks.jsonl (bench/endurance/drift.py).
Exits with 1 if anything was lost or has drifted.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np

from assistant.audio.pcm import DEFAULT_RATE, Pcm, silence
from assistant.dialogue.actions import (
    Action,
    CancelTimer,
    Count,
    Hush,
    Say,
    SetTimer,
)
from assistant.dialogue.events import (
    DeviceFound,
    DeviceLost,
    Event,
    HoldFinished,
    SpeechFinished,
    Started,
    Suspended,
    TimerFired,
    UtteranceHeard,
    UtteranceMissed,
)
from assistant.dialogue.machine import listening
from assistant.playback.timeline_output import TimelineOutput
from assistant.session import (
    factory,
    journal,
)
from assistant.session.factory import Language
from assistant.settings import Settings
from assistant.tts.pyttsx3_voice import Pyttsx3Voice
from bench.endurance import drift
from bench.hearing.utterances import VOICES
from tests.support import pulse
from tests.support.process import Process

BLOCK_SECONDS = 0.05
LONGEST_SOUND_SECONDS = 240.0
"""Nothing that Charley says in one go is longer; a hold of sixty slow counts is."""
NONSENSE = ("the weather is nice", "purple monkey", "did you see that", "mumble", "how much is it")
WAITS = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 15.0, 40.0)
LONG_WAITS = (120.0, 400.0)
SPOKEN = (
    "my left calf is cramping", "my hamstring is cramping", "cramp in my foot", "okay", "next",
    "repeat", "how long left", "slower", "why", "it still hurts", "gone", "worse", "pause",
    "carry on", "it came back", "stop", "yes", "no", "louder", "quieter", "skip to the hold",
)  # fmt: skip
"""What a user of the real process says."""


@dataclass(slots=True)
class Ledger:
    """What was begun and must come to an end."""

    said: int = 0
    heard_out: int = 0
    cut: int = 0
    holds: int = 0
    timers_set: int = 0
    fired: int = 0
    cancelled: int = 0
    utterances: int = 0
    unanswered: int = 0
    """Utterances without a word, a sound or a change of what is listened for: dead cells."""
    problems: list[str] = field(default_factory=list)
    _sounds: list[tuple[float, Action]] = field(default_factory=list)
    _timers: dict[str, float] = field(default_factory=dict)

    def note(self, event: Event, actions: tuple[Action, ...], tolerance_seconds: float) -> None:
        """Enter one event and its answer."""
        self._end(event, tolerance_seconds)
        if isinstance(event, UtteranceHeard | UtteranceMissed):
            self.utterances += 1
            self.unanswered += not [a for a in actions if not isinstance(a, CancelTimer | SetTimer)]
        for action in actions:
            self._begin(action, event.at)
        self.check(event.at, tolerance_seconds)

    def _end(self, event: Event, tolerance_seconds: float) -> None:
        if isinstance(event, TimerFired):
            due = self._timers.pop(event.name, None)
            self.fired += 1
            if due is None or abs(due - event.at) > tolerance_seconds:
                self.problems.append(f"{event} was due at {due}")
        elif isinstance(event, HoldFinished):
            held = [sound for sound in self._sounds if isinstance(sound[1], Count)]
            self.holds += 1
            if held:
                self._sounds.remove(held[0])
            else:
                self.problems.append(f"{event} without a hold")
        elif isinstance(event, SpeechFinished):
            self.heard_out += len(self._sounds)
            self._sounds.clear()

    def _begin(self, action: Action, at: float) -> None:
        match action:
            case Hush():
                self.cut += len(self._sounds)
                self._sounds.clear()
            case Say() | Count():
                self.said += 1
                self._sounds.append((at, action))
            case SetTimer(name=name, seconds=seconds):
                self.timers_set += 1
                self.cancelled += name in self._timers
                self._timers[name] = at + seconds
            case CancelTimer(name=name):
                self.cancelled += self._timers.pop(name, None) is not None

    def check(self, at: float, tolerance_seconds: float) -> None:
        """Look for what should have ended by a time."""
        late = [name for name, due in self._timers.items() if due < at - tolerance_seconds]
        self.problems += [f"timer {name} did not fire, {at:.1f} s" for name in late]
        for name in late:
            del self._timers[name]
        lost = [what for began, what in self._sounds if at - began > LONGEST_SOUND_SECONDS]
        self.problems += [f"{what} had no end, {at:.1f} s" for what in lost]
        if lost:
            self._sounds.clear()

    def close(self) -> None:
        """Check that the sums agree; what still runs counts as neither lost nor done."""
        done = self.fired + self.cancelled + len(self._timers)
        if done != self.timers_set:
            self.problems.append(f"{self.timers_set} timers were set and {done} are known")
        done = self.heard_out + self.cut + self.holds + len(self._sounds)
        if done != self.said:
            self.problems.append(f"{self.said} sounds were begun and {done} are known")


@dataclass(frozen=True, slots=True)
class Mark:
    """One line of the written table."""

    minutes: float
    rss_mb: float
    threads: int
    files: int
    drift_ms: float
    """Timeline minus clock; in the real process only what was lost of it without a report."""


def mark(pid: int, minutes: float, drift_ms: float) -> Mark:
    """Return the state of a process of this machine."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    values = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    rss_mb = int(values["VmRSS"].split()[0]) / 1024
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Mark(
        round(minutes, 2), round(rss_mb, 2), int(values["Threads"]), files, round(drift_ms, 3)
    )


# --- Virtual -------------------------------------------------------------------------------------


class Virtual:
    """One endless conversation in lockstep with its timeline."""

    def __init__(self, language: Language, seed: int) -> None:
        self._random = random.Random(seed)
        self._language = language
        self.ledger = Ledger()
        settings = Settings(checkin_seconds=60.0)
        self._timeline = factory.timeline(language.pack, settings, print)
        self._talk = factory.voice_session(
            language, settings, TimelineOutput(self._timeline), None,
            watch=lambda event, actions: self.ledger.note(event, actions, 2 * BLOCK_SECONDS),
        )  # fmt: skip
        self._session = self._talk.session
        self._blocks = 0
        self.said = 0
        self._counts: list[int] = []
        self.worst_count_samples = 0
        self._session.handle(Started(0.0, first_time=True))

    @property
    def now(self) -> float:
        """Virtual seconds."""
        return self._blocks * BLOCK_SECONDS

    @property
    def drift_ms(self) -> float:
        """Timeline minus clock."""
        return 1000 * (self._timeline.position_samples / DEFAULT_RATE - self.now)

    def turn(self) -> None:
        """Let some time pass, and let the user do something."""
        waits = WAITS if self._random.random() < 0.97 else LONG_WAITS
        for _ in range(round(self._random.choice(waits) / BLOCK_SECONDS)):
            self._blocks += 1
            due = round(self.now * DEFAULT_RATE)
            self._timeline.read(due - self._timeline.position_samples)
            self._talk.tick(self.now)
            self._look_at_counts()
        self.ledger.check(self.now, 2 * BLOCK_SECONDS)
        self._do_something()

    def _look_at_counts(self) -> None:
        """Counts of one hold at the usual pace stand a second apart, to the sample."""
        for begun in self._timeline.take_begun():
            if not begun.counted:
                self._counts.clear()
                continue
            if self._counts and self._session.now.beat == 1.0:
                apart = begun.at_samples - self._counts[-1]
                off = apart - round(apart / DEFAULT_RATE) * DEFAULT_RATE
                self.worst_count_samples = max(self.worst_count_samples, abs(off))
            self._counts.append(begun.at_samples)

    def _do_something(self) -> None:
        chance, at = self._random.random(), self.now
        if chance < 0.02:
            device = self._random.choice(("microphone", "speaker"))
            self._session.handle(DeviceLost(at, device))
            self._session.handle(DeviceFound(at, device, self._timeline.hold_position_seconds))
        elif chance < 0.03:
            self._session.handle(Suspended(at, 5.0, self._timeline.hold_position_seconds))
        else:
            self.said += 1
            self._session.hear(self._words(chance), at)

    def _words(self, chance: float) -> str:
        if chance < 0.12:
            return self._random.choice(NONSENSE)
        now = listening(self._session.now)
        among = now.expects if chance < 0.75 else None
        return self._random.choice(self._language.intents.phrases(now.context, among))


def virtual(hours: float, seed: int, out: Path) -> list[str]:
    """Run, write the table, and return what went wrong."""
    talk = Virtual(factory.language(Settings()), seed)
    began, marks = time.monotonic(), list[Mark]()
    while talk.now < 3600 * hours:
        talk.turn()
        if talk.now / 600 >= len(marks):
            marks.append(mark(os.getpid(), talk.now / 60, talk.drift_ms))
    talk.ledger.close()
    problems = [*talk.ledger.problems]
    if talk.ledger.utterances != talk.said:
        problems.append(f"{talk.said} utterances were said, {talk.ledger.utterances} answered")
    if talk.worst_count_samples:
        problems.append(f"a count was {talk.worst_count_samples} samples off")
    _write(out / "virtual.csv", marks)
    took = time.monotonic() - began
    print(f"virtual: {talk.now / 3600:.1f} hours in {took:.0f} s, counts off by"
          f" {talk.worst_count_samples} samples at most")  # fmt: skip
    _show(talk.ledger, marks)
    return problems


# --- Real ----------------------------------------------------------------------------------------


class Real:
    """`charley run`, spoken to by synthetic runners."""

    def __init__(self, card: pulse.SoundCard, folder: Path, seed: int) -> None:
        self._random = random.Random(seed)
        self._card = card
        self._clocks = folder / "clocks.jsonl"
        code = f"from {drift.__name__} import monitor; monitor({str(self._clocks)!r})\n"
        self.charley = Process(card, folder, "--no-captions", code=code)
        self._voices = [Pyttsx3Voice(name, 160) for name in VOICES]
        self.said = 0

    def talk(self) -> None:
        """Say something, and wait a while."""
        spoken = self._random.choice(self._voices).render(self._random.choice(SPOKEN))
        pad = silence(spoken.rate // 2, spoken.rate).samples
        self._card.play(Pcm(np.concatenate([pad, spoken.samples, pad]), spoken.rate)).wait(60)
        self.said += 1
        time.sleep(self._random.choice(WAITS[:-1]))

    def mark(self, minutes: float) -> Mark:
        """Return the state of the process."""
        return mark(self.charley.process.pid, minutes, self.clocks().lost_ms)

    def clocks(self) -> drift.Finding:
        """Return how the clocks of the process have run so far."""
        return drift.read(self._clocks)


def real(minutes: float, seed: int, out: Path) -> list[str]:
    """Run, write the table, and return what went wrong."""
    marks = list[Mark]()
    with pulse.sound_card() as card:
        user = Real(card, out, seed)
        try:
            user.charley.notes(event="Started")
            time.sleep(10)
            began = time.monotonic()
            while (passed := time.monotonic() - began) < 60 * minutes:
                if passed / 60 >= len(marks):
                    marks.append(user.mark(passed / 60))
                    _write(out / "real.csv", marks)
                user.talk()
            marks.append(user.mark(minutes))
            clocks = user.clocks()
            code = user.charley.interrupt()
        finally:
            user.charley.close()
    _write(out / "real.csv", marks)
    ledger = Ledger()
    stood_still_seconds = 0.0
    for event, actions in _turns(user.charley.journal):
        ledger.note(event, actions, 1.0)
        stood_still_seconds += event.seconds if isinstance(event, Suspended) else 0.0
    ledger.close()
    print(f"real: {minutes:g} minutes, {user.said} times spoken to, exit code {code}")
    _show(ledger, marks)
    print(clocks)
    problems = ledger.problems + clocks.problems(stood_still_seconds)
    return problems + ([] if code == 130 else [f"exit code {code}"])


def _turns(path: Path) -> Iterator[tuple[Event, tuple[Action, ...]]]:
    """Yield each event of a journal with its actions."""
    event: Event | None = None
    actions: list[Action] = []
    for entry in journal.read(path):
        if isinstance(entry.what, Event):
            if event is not None:
                yield event, tuple(actions)
            event, actions = entry.what, []
        else:
            actions.append(entry.what)
    if event is not None:
        yield event, tuple(actions)


# --- The table -----------------------------------------------------------------------------------


def _write(path: Path, marks: Iterable[Mark]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [column.name for column in fields(Mark)])
        table.writeheader()
        table.writerows(asdict(each) for each in marks)


def _show(ledger: Ledger, marks: list[Mark]) -> None:
    ends = f"{ledger.heard_out} heard out, {ledger.holds} counted to their end"
    print(f"  {ledger.said} lines and holds: {ends}, {ledger.cut} cut on purpose")
    print(f"  {ledger.timers_set} timers: {ledger.fired} fired, {ledger.cancelled} cancelled")
    print(f"  {ledger.utterances} utterances, {ledger.unanswered} that need no answer")
    settled = marks[len(marks) // 8 :]  # caches fill until then
    for name in ("rss_mb", "threads", "files", "drift_ms"):
        values = [getattr(each, name) for each in settled]
        print(
            f"  {name:9} {values[0]:10} at first, {values[-1]:10} at last, {max(values):10} at most"
        )


def main() -> int:
    """Run what was asked for; 1 if something was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--virtual-hours", type=float, default=8.0)
    parser.add_argument("--real-minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="keep the tables and the journal here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        out = options.out or Path(scratch)
        out.mkdir(parents=True, exist_ok=True)
        problems = []
        if options.virtual_hours:
            problems += virtual(options.virtual_hours, options.seed, out)
        if options.real_minutes and not (missing := pulse.missing()):
            problems += real(options.real_minutes, options.seed, out)
        elif options.real_minutes:
            print(f"nothing played: {missing}")
    print(*problems[:20] or ["nothing was lost"], sep="\n")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
