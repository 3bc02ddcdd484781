"""Processes that the benches start: their commands, and the time and memory that they use."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def command(module: str, call: str) -> list[str]:
    """Return the command that calls a function of a module; run it in the repository's root."""
    return [sys.executable, "-c", f"from {module} import {call.partition('(')[0]}; {call}"]


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Return the megabytes that a process has in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
