"""The command line: the program's own flags, and the one place where errors become sentences.

Nothing heavy is imported before a command needs it, so that `charley match` starts at once.
"""

from __future__ import annotations

import io
import os
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, TextIO, cast

import typer

from assistant import __version__, settings
from assistant.cli import (
    devices,
    doctor,
    export,
    journal,
    match,
    models,
    options,
    render,
    serve,
    talk,
)
from assistant.cli.output import complain
from assistant.errors import AssistantError

app = typer.Typer(
    cls=options.Group,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Boxes and colours are for people; a pipe gets plain text, which starts faster.
    rich_markup_mode="rich" if sys.stdout and sys.stdout.isatty() else None,
    epilog="Example: charley type --hold 5",
)
for part in (talk, match, render, devices, doctor, journal, serve):
    app.add_typer(part.app)
app.add_typer(models.app, name="models")
app.add_typer(export.app, name="export")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"charley {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
@options.with_flags(options.FLAGS)
def program(
    ctx: typer.Context,
    *,
    file: Annotated[
        Path | None,
        typer.Option("--settings", metavar="FILE", help="Read the settings from this TOML file."),
    ] = None,
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    **given: object,
) -> None:
    """An offline voice coach that talks you through a muscle cramp.

    The flags below override a setting for one run; they may also stand after the command.
    """
    ctx.obj = partial(settings.load, file, given)
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code; every failure is one sentence on stderr."""
    _prepare_streams()
    try:
        code = app(argv, prog_name="charley", standalone_mode=False)
        sys.stdout.flush()
    except AssistantError as error:
        return _complain(str(error), 1)
    except typer.TyperException as error:
        sentence = error.format_message().rstrip(".")
        return _complain(f"{sentence}. See --help.", error.exit_code)
    except OSError as error:
        return _cut_off(error)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except SystemExit as done:  # what typer makes of a broken pipe
        return done.code if isinstance(done.code, int) else 1
    return code if isinstance(code, int) else 0


def _complain(sentence: str, code: int) -> int:
    complain(sentence)
    return code


def _cut_off(error: OSError) -> int:
    """Report why input or output failed; a closed pipe is no news."""
    # Unwritten output goes to the null device, or Python would report an error on exit.
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return 1
    return _complain(f"Reading or writing failed ({error.strerror or error}).", 1)


def _prepare_streams() -> None:
    """Make every input readable and every output writable, whatever the locale."""
    # A stream that was closed before the start (`>&-`) is None.
    sys.stdin = sys.stdin or _nowhere("r")
    sys.stdout, sys.stderr = sys.stdout or _nowhere("w"), sys.stderr or _nowhere("w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        # A lone carriage return does not end an utterance.
        sys.stdin.reconfigure(encoding="utf-8", errors="replace", newline="\n")


def _nowhere(mode: str) -> TextIO:
    return cast("TextIO", Path(os.devnull).open(mode, encoding="utf-8"))
