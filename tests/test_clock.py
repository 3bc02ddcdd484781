"""Facts about the clocks that a conversation runs by."""

from __future__ import annotations

import ast
import time

import pytest

from assistant import clock
from assistant.clock import SystemClock
from tests.support import ROOT

PACKAGE = ROOT / "assistant"


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
