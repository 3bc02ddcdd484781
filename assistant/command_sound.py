"""`charley render`, `say`, `devices` and `doctor`: sound files, and the machine's own sound."""

from __future__ import annotations

import typer

app = typer.Typer()
