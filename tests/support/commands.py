"""The commands as people and programs run them, in this process and in one of their own."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support import ROOT


@dataclass(frozen=True)
class Done:
    """The result of a command."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    def complains(self, code: int = 1) -> str:
        """Return the one sentence on standard error, and check its form."""
        assert self.code == code, (self.out, self.err)
        assert self.out == ""
        assert self.err.startswith("charley: ")
        assert self.err.count("\n") == 1
        assert "Traceback" not in self.err
        return self.err


Charley = Callable[..., Done]
"""Runs a command in this process: the fixture `charley`."""


def start(*args: str, **options: Any) -> "subprocess.Popen[bytes]":
    """Start the real command with pipes."""
    streams: dict[str, Any] = {
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
    }
    command = [sys.executable, "-m", "assistant", *args]
    return subprocess.Popen(command, cwd=ROOT, **(streams | options))
