"""`charley models list`, `get`, `path` and `build`: the speech models on this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli import options
from assistant.errors import ModelError

if TYPE_CHECKING:
    from assistant.speech_models.download import Progress
    from assistant.speech_models.extend import Built

app = typer.Typer(
    help="List, download, find and extend speech models.",
    no_args_is_help=False,
    epilog="Example: charley models get",
)


@app.callback(invoke_without_command=True)
def models(ctx: typer.Context) -> None:
    """List, download, find and extend speech models."""
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


@app.command("list", epilog="Example: charley models list")
def list_() -> None:
    """List models, installed or not."""
    from assistant.speech_models import catalogue

    for entry in catalogue.listed():
        size = entry.model.size_bytes
        where = str(entry.folder) if entry.folder else "not here; `charley models get` fetches it"
        print(f"{entry.model.name}\n  {entry.model.summary}\n  {where}")
        if size and not entry.folder:
            print(f"  {size / 1e6:.0f} MB to fetch")


@app.command(epilog="Example: charley models get vosk-model-small-en-us-0.15")
def get(
    name: Annotated[
        str | None,
        typer.Argument(show_default=False, help="Its name, as `list` shows it."),
    ] = None,
    url: Annotated[str | None, typer.Option(help="Download its zip file from here.")] = None,
    sha256: Annotated[str | None, typer.Option(help="SHA-256 of the zip file.")] = None,
) -> None:
    """Download a model.

    By default Vosk's small English one. Resumes an interrupted download.
    """
    from assistant.speech_models import catalogue, download

    wanted = name or catalogue.OFFICIAL.name
    with _progress(wanted) as progress:
        folder = download.get(wanted, url, sha256=sha256, progress=progress)
    print(folder)


@app.command(epilog="Example: charley models path")
def path(
    name: Annotated[
        str | None,
        typer.Argument(show_default=False, help="Its name, as `list` shows it."),
    ] = None,
) -> None:
    """Show the folder of a model.

    By default, of the model that Charley uses.
    """
    from assistant.speech_models import catalogue

    print(catalogue.find(name))


@app.command(epilog="Example: charley models build --sentences timers.txt --out timers-en")
def build(
    ctx: typer.Context,
    sentences: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE ...",
            help="Sentences as YAML, or as text, one a line; files or folders. "
            "By default all that Charley understands.",
        ),
    ] = None,
    more: Annotated[list[Path] | None, typer.Argument(hidden=True)] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A new folder. By default next to the downloaded models."),
    ] = None,
    pronunciations: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help='How words are said, such as "hammy HH AE M IY".'),
    ] = None,
) -> None:
    """Make a speech model that knows more words.

    It recognises as well as the one it is made from.
    """
    from assistant import paths
    from assistant.speech_models import catalogue, extend, vocabulary
    from assistant.speech_models.lexicon import Lexicon

    settings = options.chosen(ctx)
    sources = [*(sentences or []), *(more or [])]
    usual = paths.intents_folder(settings.language)
    if not settings.model and not paths.BUNDLED_MODEL.endswith(f"-{settings.language}"):
        raise ModelError(f'Charley\'s own model does not speak "{settings.language}".')
    built = extend.build(
        catalogue.find(settings.model or paths.BUNDLED_MODEL),
        vocabulary.words(sources or [usual]),
        Lexicon(pronunciations),
        out or catalogue.models_folder() / f"charley-own-{settings.language}",
        replace=out is None,
    )
    _show(built)


def _show(built: Built) -> None:
    """Print the new words, how they are pronounced, and what to do next."""
    from assistant.speech_models.lexicon import Origin

    width = max((len(word.text) for word in built.new), default=0)
    for word in built.new:
        said = ", ".join(" ".join(phones) for phones in word.spoken.pronunciations)
        print(f"{word.text:{width}}  {said}  ({word.spoken.origin}; {word.place})")
    print(f"{len(built.new)} new words, {built.word_count} in all.")
    if any(word.spoken.origin is Origin.GUESSED for word in built.new):
        print(
            "To correct a guess, write the word and its phones, as above, into a file, one word a "
            "line, and give it with --pronunciations FILE."
        )
    print(f'Use it with --model "{built.folder}", or keep it as `model` in the settings.')


@contextmanager
def _progress(name: str) -> Iterator[Progress | None]:
    """Yield a progress bar on a terminal; None elsewhere."""
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
