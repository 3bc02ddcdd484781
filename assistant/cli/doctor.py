"""`charley doctor`: check everything that a spoken conversation needs.

The checks are in doctor_checks.py, whose imports would slow down the start of every command.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from assistant.frontends.terminal.transcript import is_terminal

if TYPE_CHECKING:
    from assistant.cli.doctor_checks import Finding

app = typer.Typer()


@app.command(epilog="Example: charley doctor --microphone usb")
def doctor(ctx: typer.Context) -> None:
    """Check that everything works.

    Settings, voice, model, speaker and microphone; shows how to fix what does not work.
    """
    from assistant.cli.doctor_checks import Grade, examine

    show = _painted if is_terminal(sys.stdout) else _plain
    is_whole = True
    for found in examine(ctx.obj):
        show(found)
        is_whole = is_whole and found.grade is not Grade.MISSING
    if not is_whole:
        raise typer.Exit(1)


def _plain(found: Finding) -> None:
    print(f"{found.grade.value:<8} {found.part:<11} {found.text}", flush=True)


def _painted(found: Finding) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    styles = {"ok": "bold green", "warning": "bold yellow", "missing": "bold red"}
    grid = Table.grid(padding=(0, 1))
    for width in (8, 11, None):
        grid.add_column(width=width)
    grade = found.grade.value
    grid.add_row(Text(grade, styles[grade]), found.part, Text(found.text, overflow="fold"))
    Console(highlight=False).print(grid)
