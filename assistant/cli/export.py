"""`charley export home-assistant`: what Charley understands, for other programs to understand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant.cli import options
from assistant.errors import ExportError

app = typer.Typer(
    help="Write sentences for other programs.",
    no_args_is_help=False,
    epilog="Example: charley export home-assistant --out ha-config",
)


@app.callback(invoke_without_command=True)
def export(ctx: typer.Context) -> None:
    """Write sentences for other programs."""
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


@app.command(epilog="Example: charley export home-assistant --out ha-config")
def home_assistant(
    ctx: typer.Context,
    *,
    out: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER", show_default=False, help="Home Assistant's configuration folder."
        ),
    ],
    agent: Annotated[
        str, typer.Option(help="Charley's conversation entity in Home Assistant.")
    ] = "conversation.charley",
) -> None:
    """Write custom sentences, and the script that lets Charley answer them."""
    from assistant.frontends.home_assistant import custom_sentences
    from assistant.nlu import intents
    from assistant.paths import intents_folder

    folder = intents_folder(options.chosen(ctx).language) / "sentences"
    try:
        written = custom_sentences.export(folder, intents.load(folder), out, agent)
    except OSError as error:
        raise ExportError(
            f"{out} cannot be written ({error.strerror or error}); give another folder."
        ) from error
    for path in written:
        print(path)
