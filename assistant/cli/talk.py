"""`charley run`, `type` and `demo`: the conversation spoken, typed, and with a synthetic runner."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.asr.hypothesis import readable
from assistant.cli import options
from assistant.cli.options import JournalFile, JournalText
from assistant.cli.output import tell
from assistant.dialogue.actions import Action
from assistant.dialogue.events import Event, UtteranceHeard, UtteranceMissed
from assistant.errors import SettingsError
from assistant.frontends.terminal.transcript import Transcript, on_screen

if TYPE_CHECKING:
    from assistant.content.ui_text import UiText
    from assistant.frontends.demo import Remark
    from assistant.session.factory import Language
    from assistant.session.hooks import Watch
    from assistant.session.timed import TimedConversation
    from assistant.settings import Settings

app = typer.Typer()

ScriptFile = Annotated[
    Path | None,
    typer.Option("--script", metavar="FILE", exists=True, dir_okay=False, help="Say these lines."),
]


@app.command(epilog="Example: charley run --lead-in 0.5 --journal run.jsonl")
def run(
    ctx: typer.Context,
    *,
    captions: Annotated[bool, typer.Option(help="Show what is said and heard.")] = True,
    journal: JournalFile = None,
    journal_text: JournalText = False,
) -> None:
    """Talk with Charley by microphone and speaker.

    Ctrl-C ends it with a farewell, a second Ctrl-C at once. Without a microphone you type; without
    a speaker you read.
    """
    settings = options.chosen(ctx)
    from assistant.frontends.live import loop
    from assistant.session import factory

    language = factory.language(settings)
    words = language.pack.ui_text
    transcript = on_screen(words) if captions else Transcript(io.StringIO(), words)
    with options.journal(journal, settings, with_text=journal_text, tell=tell) as kept:

        def watch(event: Event, actions: tuple[Action, ...]) -> None:
            _show_heard(transcript, words, event)
            if kept:
                kept.write(event, actions)

        code = loop.run(language, settings, show=transcript.show, tell=tell, watch=watch)
    transcript.finish()
    raise typer.Exit(code)


def _show_heard(transcript: Transcript, words: UiText, event: Event) -> None:
    """Show what was heard, before it is answered; sound without words is an ellipsis."""
    if isinstance(event, UtteranceHeard) and not event.text:  # a button was pressed
        named = words.meanings.get(event.intent, event.intent)
        transcript.you(event.at, words("talk.meant", meaning=named))
    elif isinstance(event, UtteranceHeard | UtteranceMissed):
        transcript.you(event.at, readable(event.text) or "...")


@app.command("type", epilog="Example: charley type --fast --script lines.txt")
def type_(
    ctx: typer.Context,
    *,
    fast: Annotated[bool, typer.Option("--fast", help="Let time pass without waiting.")] = False,
    script: ScriptFile = None,
    journal: JournalFile = None,
    journal_text: JournalText = False,
    no_first: Annotated[
        bool, typer.Option("--no-first", help="Leave out what Charley says to new users.")
    ] = False,
) -> None:
    """Talk with Charley by typing.

    In a pipe or a script, one utterance a line: a plain line is said when Charley waits,
    "#4 how long" at the fourth count of a hold, "+2.5 stop" 2.5 seconds after the line before.
    """
    settings = options.chosen(ctx)
    with options.journal(journal, settings, with_text=journal_text, tell=tell) as kept:
        watch = kept.write if kept else None
        if script is not None:
            with script.open(encoding="utf-8", errors="replace") as lines:
                _play(settings, lines, watch, fast=fast, known=no_first)
        elif sys.stdin.isatty():
            _converse(settings, watch, fast=fast, known=no_first)
        else:
            _play(settings, sys.stdin, watch, fast=fast, known=no_first)


def _play(
    settings: Settings, lines: Iterable[str], watch: Watch | None, *, fast: bool, known: bool
) -> None:
    from assistant.frontends.terminal.piped import ArrivingUser
    from assistant.session import factory
    from assistant.session.scripted_user import ScriptedUser

    language = factory.language(settings)
    transcript = on_screen(language.pack.ui_text)
    conversation = _conversation(language, settings, transcript, watch, fast=fast)
    meaning = conversation.session.meaning
    user = ScriptedUser(lines, meaning) if fast else ArrivingUser(lines, meaning)
    try:
        conversation.start(first_time=_is_first(known))
        conversation.play(user)
    finally:
        transcript.finish()


def _converse(settings: Settings, watch: Watch | None, *, fast: bool, known: bool) -> None:
    from assistant.frontends.terminal.line_editor import Terminal
    from assistant.session import factory

    language = factory.language(settings)
    with Terminal(sys.stdin, sys.stdout, language.pack.ui_text) as terminal:
        conversation = _conversation(language, settings, terminal.transcript, watch, fast=fast)
        terminal.converse(conversation, first_time=_is_first(known), fast=fast)


def _is_first(known: bool) -> bool:
    from assistant.remembered import recall

    return not known and recall("safety_told") is None


def _conversation(
    language: Language,
    settings: Settings,
    transcript: Transcript,
    watch: Watch | None,
    *,
    fast: bool,
) -> TimedConversation:
    """Return a typed session; what the user says is shown before it is answered."""
    from assistant.clock import SystemClock, VirtualClock
    from assistant.playback.captions import CaptionTimeline
    from assistant.remembered import remember
    from assistant.session import factory

    return factory.text_session(
        language,
        settings,
        CaptionTimeline(transcript.show),
        VirtualClock() if fast else SystemClock(),
        said=transcript.you,
        watch=watch,
        remember=remember,
    )


@app.command(epilog="Example: charley demo --out session.wav")
def demo(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The sound file to write.")] = Path(
        "session.wav"
    ),
    script: ScriptFile = None,
) -> None:
    """Record a talk with a synthetic runner.

    The runner's lines are spoken, recognised and answered as if by microphone.
    """
    settings = options.chosen(ctx)
    from assistant.frontends import demo as play
    from assistant.session import factory

    language = factory.language(settings)
    words = language.pack.ui_text
    transcript = Transcript(sys.stdout, words)
    lines = None if script is None else _lines(script)
    outcome = play.demo(
        language, settings, out, show=lambda r: _remark(transcript, words, r), script=lines
    )
    transcript.finish()
    understood = len(outcome.said) - len(outcome.misheard)
    print(f"{out}: {outcome.seconds:.0f} s; {understood} of {len(outcome.said)} lines understood.")
    for text in outcome.misheard:
        tell(f"not understood: {text}")
    if outcome.said and not understood:
        raise typer.Exit(1)


def _lines(script: Path) -> list[str]:
    """Return what a script says, line by line. SettingsError if it says nothing."""
    from assistant.session.scripted_user import ScriptedUser

    lines = script.read_text("utf-8", "replace").splitlines()
    if ScriptedUser(lines).line is None:
        raise SettingsError(f"{script} holds no line to say; write one utterance a line.")
    return lines


def _remark(transcript: Transcript, words: UiText, remark: Remark) -> None:
    from assistant.playback.captions import Caption

    if remark.speaker in ("charley", "count"):
        kind = "say" if remark.speaker == "charley" else "count"
        transcript.show(Caption(remark.at, kind, remark.text))
    else:
        transcript.line(remark.at, words(f"talk.{remark.speaker}"), remark.text)
