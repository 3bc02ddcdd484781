"""`charley replay` and `charley report`: a journal replayed, and one page about it."""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli import options
from assistant.cli.options import AsJson
from assistant.cli.output import counted, tell
from assistant.content.ui_text import printable
from assistant.errors import JournalError

if TYPE_CHECKING:
    from assistant.exports.report import Page
    from assistant.session.factory import Language
    from assistant.session.journal import Conditions
    from assistant.session.replay import Recording
    from assistant.settings import Settings

app = typer.Typer()

_INDENT = " " * 17
_MOST_CANDIDATES = 3
_NOT_KEPT = "the words were not kept"

JournalPath = Annotated[Path, typer.Argument(metavar="FILE", show_default=False)]


@app.command(epilog="Example: charley replay run.jsonl")
def replay(ctx: typer.Context, file: JournalPath, as_json: AsJson = False) -> None:
    """Replay a journal and show what differs.

    Shows where Charley would now answer differently, and what the matcher saw where something was
    not understood. Exits with 1 if any answer differs from the recorded one.
    """
    from assistant.cli.replay_output import ReplayJson, ReplayText
    from assistant.session import replay as again

    settings = options.chosen(ctx)
    recordings = _recordings(file)
    show = ReplayJson() if as_json else ReplayText(len(recordings))
    for recording in recordings:
        language = _language(settings, recording)
        show.begin(recording, language)
        for moment in again.play(recording, language.pack, _conditions(settings)):
            show.moment(moment, language)
        show.end()
    show.close(file)
    if show.differences:
        raise typer.Exit(1)


def _recordings(file: Path) -> tuple[Recording, ...]:
    from assistant.session import journal, replay

    return replay.recordings(file, journal.read(file, tell))


def _conditions(settings: Settings) -> Conditions:
    """Return the conditions to assume where a journal does not keep those of its session."""
    from assistant.session import factory
    from assistant.session.journal import Conditions

    return Conditions(
        coaching=factory.coaching_options(settings), start=factory.initial_state(settings)
    )


def _language(settings: Settings, recording: Recording) -> Language:
    from assistant.session import factory

    kept = recording.conditions
    return factory.language(changed(settings, language=kept.language) if kept else settings)


# --- Report --------------------------------------------------------------------------------------


@app.command(epilog="Example: charley report run.jsonl --out report.svg")
def report(
    ctx: typer.Context,
    file: JournalPath,
    *,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a picture (.svg), or text (.txt).")
    ] = None,
    session: Annotated[
        int | None, typer.Option(min=1, help="Which of the file's sessions; the last if not given.")
    ] = None,
) -> None:
    """Show a session on one page.

    Its cramps, holds, relief and red flags.
    """
    from assistant.exports import report as reports
    from assistant.exports import report_text
    from assistant.session import replay as again

    settings = options.chosen(ctx)
    if out is not None and out.suffix.lower() not in _DRAWN:
        raise JournalError(f"{out}: the name must end in {' or '.join(_DRAWN)}.")
    recording = _one(file, _recordings(file), session)
    pack = _language(settings, recording).pack
    moments = again.play(recording, pack, _conditions(settings))
    page = reports.page(moments, pack, _began(recording))
    print("\n".join(map(printable, report_text.text(page).split("\n"))), end="")
    if out is not None:
        _write(out, page)
        print(f"\n{out}")


_DRAWN = (".svg", ".txt")


def _one(file: Path, recordings: tuple[Recording, ...], number: int | None) -> Recording:
    if number is not None and number > len(recordings):
        raise JournalError(f"{file} holds {counted(len(recordings), 'session')}, not {number}.")
    return recordings[-1 if number is None else number - 1]


def _began(recording: Recording) -> datetime | None:
    began = recording.conditions.began if recording.conditions else ""
    try:
        return datetime.fromisoformat(began)
    except ValueError:
        return None


def _write(out: Path, page: Page) -> None:
    from assistant.atomic_file import write_whole
    from assistant.exports import report_svg, report_text

    words = report_svg.draw(page) if out.suffix.lower() == ".svg" else report_text.text(page)
    try:
        write_whole(out, words.encode(), is_private=True)
    except OSError as error:
        raise JournalError(f"{out}: cannot be written ({error.strerror or error}).") from None
