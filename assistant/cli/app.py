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

from assistant import __version__
from assistant.cli import export, journal, match, models, options, render, serve, talk
from assistant.errors import AssistantError

app = typer.Typer(
    cls=options.Group,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Boxes and colours are for people; a pipe gets plain text, and sooner.
    rich_markup_mode="rich" if sys.stdout and sys.stdout.isatty() else None,
    epilog="Example: charley type --hold 5",
)
for part in (talk, match, render, journal, serve):
    app.add_typer(part.app)
app.add_typer(models.app, name="models")
app.add_typer(export.app, name="export")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"charley {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def program(
    ctx: typer.Context,
    *,
    settings: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Read the settings from this TOML file.")
    ] = None,
    voice: Annotated[str | None, typer.Option(help="A voice, such as en-us or en-gb+f3.")] = None,
    rate: Annotated[int | None, typer.Option(help="Words a minute, 80 to 400.")] = None,
    volume: Annotated[float | None, typer.Option(help="Loudness, 0 to 1.")] = None,
    hold: Annotated[int | None, typer.Option(help="Seconds of one hold, 5 to 60.")] = None,
    count: Annotated[str | None, typer.Option(help="Count up, or down.")] = None,
    rounds: Annotated[int | None, typer.Option(help="Holds in one position, 1 to 6.")] = None,
    microphone: Annotated[str | None, typer.Option(help="Number or part of its name.")] = None,
    speaker: Annotated[str | None, typer.Option(help="Number or part of its name.")] = None,
    loudspeaker: Annotated[
        bool | None,
        typer.Option(
            "--loudspeaker/--no-loudspeaker", help="The microphone hears Charley, as in a kitchen."
        ),
    ] = None,
    lower_music: Annotated[
        bool | None,
        typer.Option(
            "--lower-music/--no-lower-music", help="Other programs' sound, while Charley speaks."
        ),
    ] = None,
    push_to_talk: Annotated[
        bool | None,
        typer.Option("--push-to-talk/--no-push-to-talk", help="Listen only after a key or button."),
    ] = None,
    media_buttons: Annotated[
        bool | None,
        typer.Option("--media-buttons/--no-media-buttons", help="A headset's buttons steer it."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="A speech model's name or folder.")] = None,
    lead_in: Annotated[
        float | None, typer.Option(help="Silence before speech, 0 to 2 seconds.")
    ] = None,
    language: Annotated[str | None, typer.Option(help="A folder of intents/, such as de.")] = None,
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    """An offline voice coach that talks you through a muscle cramp.

    The flags below change a setting this once; they may stand behind a command, too.
    """
    given: dict[str, object] = {
        "voice": voice, "rate": rate, "volume": volume, "hold": hold, "count": count,
        "rounds": rounds, "microphone": microphone, "speaker": speaker,
        "loudspeaker": loudspeaker, "lower_music": lower_music, "push_to_talk": push_to_talk,
        "media_buttons": media_buttons, "model": model, "lead_in": lead_in, "language": language,
    }  # fmt: skip
    ctx.obj = partial(options.load, settings, given)
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
    print(f"charley: {' '.join(sentence.split())}", file=sys.stderr)
    return code


def _cut_off(error: OSError) -> int:
    """Say why input or output failed; a reader who has had enough needs no words."""
    # What is still unwritten goes nowhere, or Python would complain about it at its end.
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return 1
    return _complain(f"Reading or writing failed ({error.strerror or error}).", 1)


def _prepare_streams() -> None:
    """Make every input readable and every output writable, whatever the locale."""
    # A stream that was closed before we began (`>&-`) is None.
    sys.stdin = sys.stdin or _nowhere("r")
    sys.stdout, sys.stderr = sys.stdout or _nowhere("w"), sys.stderr or _nowhere("w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        # A lone carriage return is a character like others, not the end of an utterance.
        sys.stdin.reconfigure(encoding="utf-8", errors="replace", newline="\n")


def _nowhere(mode: str) -> TextIO:
    return cast("TextIO", Path(os.devnull).open(mode, encoding="utf-8"))
