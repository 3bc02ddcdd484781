"""Slow work has a progress bar in a terminal, and nowhere else."""

import io
import sys

import pytest

from assistant.cli import models, render


class TestProgress:
    """Bars for people who wait, and for nobody else."""

    @pytest.mark.parametrize("watched", [True, False])
    def test_slow_work_has_one_in_a_terminal(
        self, monkeypatch: pytest.MonkeyPatch, watched: bool
    ) -> None:
        screen = Screen(monkeypatch, is_terminal=watched)
        monkeypatch.setattr(render, "_SLOW_SECONDS", -1.0)
        with render._bar("Speaking") as progress:
            progress(0.5)
        assert ("Speaking" in screen.getvalue()) == watched

    @pytest.mark.parametrize("watched", [True, False])
    def test_a_download_has_one_in_a_terminal(
        self, monkeypatch: pytest.MonkeyPatch, watched: bool
    ) -> None:
        screen = Screen(monkeypatch, is_terminal=watched)
        with models._progress("model-en") as progress:
            if progress:
                progress(10, 100)
                progress(100, 100)
        assert ("model-en" in screen.getvalue()) == watched


class Screen(io.StringIO):
    """Standard error, seen by a person or not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(sys, "stderr", self)

    def isatty(self) -> bool:
        return self._is_terminal
