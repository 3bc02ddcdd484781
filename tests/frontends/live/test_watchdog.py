"""Facts about the watchdog, in virtual time."""

from __future__ import annotations

import time

import pytest

from assistant.frontends.live import watchdog
from assistant.frontends.live.watchdog import ASLEEP_SECONDS, LOOK_SECONDS, STUCK_SECONDS, Watchdog


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
        """Let time pass; return the standstill that is reported to the conversation."""
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

    def test_one_that_stands_still_is_reported_once_and_once_when_it_moves(self) -> None:
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
