"""Facts about the watchdog, the spare voice and the clock, in virtual time."""

from __future__ import annotations

import ast
import time

import numpy as np
import pytest

from assistant import clock
from assistant.audio.pcm import Pcm, silence
from assistant.clock import SystemClock
from assistant.dialogue.actions import Count, Hush, Say
from assistant.dialogue.hold import Hold
from assistant.errors import SynthesiserError
from assistant.frontends.live import watchdog
from assistant.frontends.live.watchdog import ASLEEP_SECONDS, LOOK_SECONDS, STUCK_SECONDS, Watchdog
from assistant.playback.timeline import Timeline
from assistant.tts.fallback import FallbackVoice
from tests.support import ROOT

RATE = 22050
NUMBERS = ("zero", "one", "two", "three", "four", "five")
PACKAGE = ROOT / "assistant"


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.wall = 100.0
        self.skipped = 0.0

    def now(self) -> float:
        """Return the session's time."""
        return self.wall - self.skipped

    def skip(self, seconds: float) -> None:
        """Leave out a stretch of time."""
        self.skipped += seconds


class Kennel:
    """A watchdog whose thread and whose conversation are moved by hand."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.told: list[str] = []
        self.dog = Watchdog(
            self.clock, lambda: self.told.append("stuck"), lambda: self.told.append("free")
        )

    def passes(self, seconds: float, *, moves: bool) -> float:
        """Let time pass; return for how long the conversation is told that all stood still."""
        asleep = 0.0
        for _ in range(round(seconds / LOOK_SECONDS)):
            self.clock.wall += LOOK_SECONDS
            self.dog.look()
            if moves:
                asleep += self.dog.beat()[1]
        return asleep


class TestWatchdog:
    """It barks once, and knows sleep from a hang."""

    def test_a_conversation_that_moves_is_left_alone(self) -> None:
        kennel = Kennel()
        assert kennel.passes(3600.0, moves=True) == 0.0
        assert kennel.told == []

    def test_one_that_stands_still_is_told_once_and_once_when_it_moves(self) -> None:
        kennel = Kennel()
        kennel.passes(STUCK_SECONDS - 1, moves=False)
        assert kennel.told == []
        kennel.passes(60.0, moves=False)
        assert kennel.told == ["stuck"]
        kennel.passes(60.0, moves=True)
        assert kennel.told == ["stuck", "free"]

    @pytest.mark.parametrize("is_first", ["watchdog", "conversation"])
    def test_a_standstill_of_everything_is_taken_out_of_the_time(self, is_first: str) -> None:
        kennel = Kennel()
        kennel.passes(10.0, moves=True)
        before = kennel.clock.now()
        kennel.clock.wall += 3600.0
        if is_first == "watchdog":
            kennel.dog.look()
        at, asleep = kennel.dog.beat()
        assert at == pytest.approx(before)
        assert asleep == pytest.approx(3600.0)
        assert kennel.passes(10.0, moves=True) == 0.0
        assert kennel.told == []

    def test_a_slow_moment_is_no_sleep(self) -> None:
        kennel = Kennel()
        kennel.clock.wall += ASLEEP_SECONDS - 0.1
        assert kennel.dog.beat()[1] == 0.0

    def test_its_thread_looks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(watchdog, "LOOK_SECONDS", 0.001)
        kennel = Kennel()
        with kennel.dog:
            for _ in range(1000):
                kennel.clock.wall += 1.0
                time.sleep(0.001)
                if kennel.told:
                    break
        assert kennel.told == ["stuck"]


class TestClock:
    """Nobody can set the clocks that a conversation runs by."""

    def test_no_conversation_of_our_own_reads_the_time_of_day(self) -> None:
        reads = set()
        for path in PACKAGE.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                name = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
                if name in {"time.time", "time.time_ns", "datetime.now", "datetime.datetime.now"}:
                    reads.add(path.stem)
        # The date in the head of a journal; OVOS's own scheduler, which takes nothing else.
        assert reads <= {"options", "skill"}

    def test_a_jump_of_the_wall_clock_moves_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = SystemClock()
        before = made.now()
        monkeypatch.setattr(time, "time", lambda: 0.0)
        assert 0.0 <= made.now() - before < 60.0

    def test_a_machines_sleep_is_counted_where_it_can_be(self) -> None:
        assert clock._monotonic() >= time.monotonic() - 1.0

    def test_time_can_be_left_out(self) -> None:
        made = SystemClock()
        made.skip(5.0)
        assert made.now() < 0.0


class Frail:
    """A voice that can be broken."""

    def __init__(self) -> None:
        self.is_broken = False

    def render(self, text: str, pace: float = 1.0) -> Pcm:
        """Return a steady sound, or fail."""
        if self.is_broken:
            raise SynthesiserError("broken")
        return Pcm(np.full(round(4000 / pace) + len(text), 9000, np.int16), RATE)


class TestSpareVoice:
    """What cannot be spoken keeps its place on the timeline."""

    def spare(self) -> tuple[FallbackVoice, Frail, list[str]]:
        """Return a voice, what is behind it, and what was told."""
        frail, told = Frail(), list[str]()
        return FallbackVoice(frail, "It broke.", lambda: told.append("failed")), frail, told

    def test_a_working_voice_is_as_it_was(self) -> None:
        voice, frail, told = self.spare()
        assert voice.render("hello", 1.2) == frail.render("hello", 1.2)
        assert told == []

    def test_a_failure_is_told_once_and_announced_in_the_voice_of_before(self) -> None:
        voice, frail, told = self.spare()
        voice.prepare(["It broke."])
        notice = voice.render("It broke.")
        frail.is_broken = True
        first, second = voice.render("one two three four"), voice.render("one two three four")
        assert told == ["failed"]
        assert len(first) == len(second) + len(notice)
        assert 1.0 < second.seconds < 3.0

    def test_what_was_prepared_is_spoken_all_the_same(self) -> None:
        voice, frail, _ = self.spare()
        voice.prepare(["five"])
        spoken = voice.render("five")
        frail.is_broken = True
        assert voice.render("five") == spoken

    def test_it_comes_back(self) -> None:
        voice, frail, told = self.spare()
        frail.is_broken = True
        voice.render("hello")
        assert not voice.try_again()
        frail.is_broken = False
        assert voice.try_again()
        assert not voice.has_failed
        frail.is_broken = True
        voice.render("hello again")
        assert told == ["failed", "failed"]

    def test_a_hold_is_ticked_on_its_seconds(self) -> None:
        voice, frail, _ = self.spare()
        frail.is_broken = True
        voice.render("it is broken already")
        timeline = Timeline(voice, RATE)
        timeline.perform(Count(Hold(5), NUMBERS))
        timeline.read(7 * RATE)
        begun = timeline.take_begun()
        assert [word.text for word in begun] == list(NUMBERS[1:])
        assert [word.at_samples for word in begun] == [n * RATE for n in range(1, 6)]


class TestLastWord:
    """A farewell lets the word that sounds be said to its end."""

    def played(self, seconds: float, action: Say | Count) -> tuple[Timeline, list[int]]:
        """Play so long, hush after the word, and return where sound was from then on."""

        class Words:
            def render(self, text: str, pace: float = 1.0) -> Pcm:
                """Return 0.3 s of sound and 0.1 s of silence for each word."""
                word = np.full(round(0.3 * RATE / pace), 9000, np.int16)
                gap = silence(round(0.1 * RATE / pace), RATE).samples
                return Pcm(np.concatenate([word, gap] * len(text.split())), RATE)

        timeline = Timeline(Words(), RATE)
        timeline.perform(action)
        timeline.read(round(seconds * RATE))
        timeline.perform(Hush(after_word=True))
        return timeline, np.flatnonzero(timeline.read(3 * RATE)).tolist()

    def test_a_count_is_said_whole_and_nothing_after_it(self) -> None:
        timeline, loud = self.played(3.1, Count(Hold(5), NUMBERS))
        assert max(loud) == pytest.approx(0.2 * RATE, abs=0.02 * RATE)
        assert timeline.take_finished() == []
        assert timeline.is_idle

    def test_between_two_counts_nothing_is_said(self) -> None:
        assert self.played(3.6, Count(Hold(5), NUMBERS))[1] == []

    def test_a_line_ends_in_the_gap_behind_its_word(self) -> None:
        _, loud = self.played(0.5, Say("key", "abcd abcd abcd abcd"))
        assert max(loud) == pytest.approx(0.2 * RATE, abs=0.03 * RATE)
