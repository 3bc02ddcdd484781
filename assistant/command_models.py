"""`charley models list`, `get` and `path`: the speech models on this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from assistant.downloads import Progress

app = typer.Typer(
    help="Show, fetch and find speech models.",
    no_args_is_help=False,
    epilog="Example: charley models get",
)


@app.callback(invoke_without_command=True)
def models(ctx: typer.Context) -> None:
    """Show, fetch and find speech models."""
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


@app.command("list", epilog="Example: charley models list")
def list_() -> None:
    """Show the models that are here and those that can be fetched."""
    from assistant import downloads

    for entry in downloads.listed():
        size = entry.model.size_bytes
        where = str(entry.folder) if entry.folder else "not here; `charley models get` fetches it"
        print(f"{entry.model.name}\n  {entry.model.summary}\n  {where}")
        if size and not entry.folder:
            print(f"  {size / 1e6:.0f} MB to fetch")


@app.command(epilog="Example: charley models get vosk-model-small-en-us-0.15")
def get(
    name: Annotated[str | None, typer.Argument(show_default=False, help="Its name.")] = None,
    url: Annotated[str | None, typer.Option(help="Another address of its zip file.")] = None,
    sha256: Annotated[str | None, typer.Option(help="The zip file's hash.")] = None,
) -> None:
    """Fetch a model, by default Vosk's small English one; goes on where it was interrupted."""
    from assistant import downloads

    wanted = name or downloads.OFFICIAL.name
    with _progress(wanted) as progress:
        folder = downloads.get(wanted, url, sha256=sha256, progress=progress)
    print(folder)


@app.command(epilog="Example: charley models path")
def path(
    name: Annotated[str | None, typer.Argument(show_default=False, help="Its name.")] = None,
) -> None:
    """Say where a model is, by default the one that Charley uses."""
    from assistant import downloads

    print(downloads.find(name))


@contextmanager
def _progress(name: str) -> Iterator[Progress | None]:
    """Give a progress bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
