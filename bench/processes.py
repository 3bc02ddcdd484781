"""Functions of the benches that run in a process of their own."""

from __future__ import annotations

import sys


def command(module: str, call: str) -> list[str]:
    """Return the command that calls a function of a module; run it in the repository's root."""
    return [sys.executable, "-c", f"from {module} import {call.partition('(')[0]}; {call}"]
