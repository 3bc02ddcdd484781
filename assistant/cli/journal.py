"""`charley replay` and `charley report`: a journal played again, and one page about it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from dataclasses import replace as changed
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.asr.hypothesis import readable
from assistant.cli import options
from assistant.cli.options import AsJson
from assistant.errors import JournalError
from assistant.frontends.terminal.transcript import on_screen, tell

if TYPE_CHECKING:
    from assistant.dialogue.actions import Action
    from assistant.exports.report import Page
    from assistant.nlu.matcher import Match, NoMatch
    from assistant.session.factory import Language
    from assistant.session.journal import Conditions
    from assistant.session.replay import Moment, Recording
    from assistant.settings import Settings

app = typer.Typer()

_INDENT = " " * 17
_MOST_CANDIDATES = 3
_NOT_KEPT = "the words were not kept"

JournalPath = Annotated[Path, typer.Argument(metavar="FILE", show_default=False)]


@app.command(epilog="Example: charley replay run.jsonl")
def replay(ctx: typer.Context, file: JournalPath, as_json: AsJson = False) -> None:
    """Play a journal again, as fast as it goes, and tell where Charley now answers otherwise.

    Shows what the matcher saw where something was not understood. Exits with 1 if any answer
    differs from the recorded one.
    """
    from assistant.session import replay as again

    settings = options.chosen(ctx)
    recordings = _recordings(file)
    show = _Json() if as_json else _Play(len(recordings))
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

    return replay.recordings(file, journal.read(file))


def _conditions(settings: Settings) -> Conditions:
    """Return what holds where a journal does not tell how its session was set."""
    from assistant.session import factory
    from assistant.session.journal import Conditions

    return Conditions(
        coaching=factory.coaching_options(settings), start=factory.initial_state(settings)
    )


def _language(settings: Settings, recording: Recording) -> Language:
    from assistant.session import factory

    kept = recording.conditions
    return factory.language(changed(settings, language=kept.language) if kept else settings)


class _Play:
    """Writes a replay as a play, with what is to be said about it under the lines."""

    def __init__(self, sessions: int) -> None:
        self.differences = 0
        self._sessions = sessions
        self._begun = 0
        self._events = 0
        self._words_missing = False

    def begin(self, recording: Recording, language: Language) -> None:
        """A session begins."""
        from assistant.session.replay import Stage

        self._transcript = on_screen(language.pack.ui_text)
        self._begun += 1
        self._is_kept = recording.conditions is not None
        self._stage = Stage(self._transcript.show)
        if self._sessions > 1:
            began = recording.conditions.began if recording.conditions else ""
            title = f"Session {self._begun} of {self._sessions}"
            print(f"{title}, {began}" if began else title, flush=True)

    def moment(self, moment: Moment, language: Language) -> None:
        """Show what was heard up to an event, the event, and what is to be said about it."""
        from assistant.dialogue.events import UtteranceHeard, UtteranceMissed

        self._events += 1
        self._stage.reach(moment.event)
        if isinstance(moment.event, UtteranceHeard | UtteranceMissed):
            self._transcript.you(moment.event.at, _words(moment.event))
        if isinstance(moment.event, UtteranceMissed):
            self._note(_seen(moment, language))
            self._words_missing |= not moment.event.text
        if moment.differs:
            self.differences += 1
            self._note(_differences(moment))
        self._stage.perform(moment.actions)

    def _note(self, lines: Iterator[str]) -> None:
        self._transcript.finish()
        for line in lines:
            print(f"{_INDENT}{line}", flush=True)

    def end(self) -> None:
        """A session ends."""
        self._stage.close()
        self._transcript.finish()

    def close(self, file: Path) -> None:
        """Say how it went."""
        events = f"{file}: {_some(self._events, 'event')}"
        if not self.differences:
            print(f"{events}, every one answered as recorded.")
        else:
            print(f"{events}, {self.differences} answered otherwise than recorded.")
            if not self._is_kept:
                tell(
                    "this journal does not keep the settings of its session; "
                    "give its flags again, such as --hold."
                )
        if self._words_missing:
            tell("words were not kept; to see what the matcher saw, record with --journal-text.")


def _some(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _words(event: Any) -> str:
    """Return what was said, or what it meant where the words were not kept."""
    if event.text:
        return readable(event.text)
    if not hasattr(event, "intent"):
        return f"(not understood; {_NOT_KEPT})"
    slots = ", ".join(f"{name} {value}" for name, value in event.slots.items())
    return f"({event.intent.replace('_', ' ')}{f': {slots}' if slots else ''})"


def _match(moment: Moment, language: Language) -> Match | NoMatch | None:
    """Return what the matcher makes of an utterance; None if its words were not kept."""
    text = getattr(moment.event, "text", "")
    return language.matcher.match(text, moment.before.context) if text else None


def _seen(moment: Moment, language: Language) -> Iterator[str]:
    """Yield what the matcher saw in an utterance that was not understood, the best first."""
    from assistant.nlu.matcher import NoMatch

    found = _match(moment, language)
    if found is None:
        return
    if not isinstance(found, NoMatch):
        yield f"now understood as {found.intent}, {found.score:.0f} of 100"
        return
    yield f"not understood while {moment.before.state.value}: {found.reason}"
    for seen in _candidates(found)[:_MOST_CANDIDATES]:
        sentence = seen["phrase"][:60] + ("..." if len(seen["phrase"]) > 60 else "")
        yield (
            f"  {seen['intent']}, {seen['score']:.0f} of 100, {seen['margin']:.0f} ahead "
            f"(“{sentence}”): {seen['why']}"
        )


def _candidates(found: NoMatch | Match) -> list[dict[str, Any]]:
    """Return what was considered, with its lead over the next one."""
    scores = [candidate.score for candidate in found.rejected]
    return [
        {
            "intent": candidate.intent,
            "score": round(candidate.score, 1),
            "margin": round(candidate.score - following, 1),
            "phrase": candidate.phrase,
            "why": candidate.why,
        }
        for candidate, following in zip(found.rejected, [*scores, 0.0][1:], strict=True)
    ]


def _differences(moment: Moment) -> Iterator[str]:
    """Yield what was done then and is not done now, and the other way round."""
    yield f"line {moment.recorded.line}: answered otherwise than recorded"
    if moment.problem:
        yield f"  {moment.problem}"
    for change in _changes(moment.recorded.actions, moment.actions):
        yield f"  {change}"


def _changes(then: Sequence[Action], now: Sequence[Action]) -> Iterator[str]:
    """Yield the actions that were done then only, and those that are done now only."""
    marks = {"- ": "then: ", "+ ": "now:  "}
    for line in difflib.ndiff([*map(_short, then)], [*map(_short, now)]):
        if line[:2] in marks:
            yield marks[line[:2]] + line[2:]


def _short(action: Action) -> str:
    """Return an action on one line; the number words of a count are as they always are."""
    values = [
        f"{name}={value!r}"
        for name, value in ((f.name, getattr(action, f.name)) for f in fields(action))
        if name != "words"
    ]
    return f"{type(action).__name__}({', '.join(values)})"


class _Json:
    """Writes a replay as JSON lines, one an event."""

    def __init__(self) -> None:
        self.differences = 0
        self._session = 0

    def begin(self, _recording: Recording, _language: Language) -> None:
        """A session begins."""
        self._session += 1

    def moment(self, moment: Moment, language: Language) -> None:
        """Write one event."""
        self.differences += moment.differs
        found = _match(moment, language)
        seen = None if found is None else {
            "intent": getattr(found, "intent", None),
            "reason": getattr(found, "reason", None),
            "candidates": _candidates(found),
        }  # fmt: skip
        print(json.dumps({
            "session": self._session,
            "line": moment.recorded.line,
            "at": moment.event.at,
            "event": type(moment.event).__name__,
            "before": moment.before.state.value,
            "after": moment.after.state.value,
            "same": not moment.differs,
            "problem": moment.problem or None,
            "then": _plain(moment.recorded.actions) if moment.differs else None,
            "now": _plain(moment.actions),
            "matcher": seen,
        }), flush=True)  # fmt: skip

    def end(self) -> None:
        """A session ends."""

    def close(self, _file: Path) -> None:
        """Nothing more is written: each line speaks for itself."""


def _plain(actions: Sequence[Action]) -> list[Any]:
    from assistant.session.journal import encode

    plain = (json.loads(encode(0.0, action)) for action in actions)
    return [{name: value for name, value in one.items() if name != "at"} for one in plain]


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
    """Tell on one page what happened in a session: cramps, holds, relief, red flags."""
    from assistant.exports import report as reports
    from assistant.session import replay as again

    settings = options.chosen(ctx)
    if out is not None and out.suffix.lower() not in _DRAWN:
        raise JournalError(f"{out}: the name must end in {' or '.join(_DRAWN)}.")
    recording = _one(file, _recordings(file), session)
    pack = _language(settings, recording).pack
    moments = again.play(recording, pack, _conditions(settings))
    page = reports.page(moments, pack, _began(recording))
    print(reports.text(page), end="")
    if out is not None:
        _write(out, page)
        print(f"\n{out}")


_DRAWN = (".svg", ".txt")


def _one(file: Path, recordings: tuple[Recording, ...], number: int | None) -> Recording:
    if number is not None and number > len(recordings):
        raise JournalError(f"{file} holds {_some(len(recordings), 'session')}, not {number}.")
    return recordings[-1 if number is None else number - 1]


def _began(recording: Recording) -> datetime | None:
    began = recording.conditions.began if recording.conditions else ""
    try:
        return datetime.fromisoformat(began)
    except ValueError:
        return None


def _write(out: Path, page: Page) -> None:
    from assistant.atomic_file import write_whole
    from assistant.exports import report as reports
    from assistant.exports import report_svg

    words = report_svg.draw(page) if out.suffix.lower() == ".svg" else reports.text(page)
    try:
        write_whole(out, words.encode())
    except OSError as error:
        raise JournalError(f"{out}: cannot be written ({error.strerror or error}).") from None
