"""What `charley replay` prints: a play with remarks under its lines, or JSON lines."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.asr.hypothesis import readable
from assistant.cli.output import counted, tell
from assistant.content.ui_text import printable
from assistant.frontends.terminal.transcript import on_screen

if TYPE_CHECKING:
    from assistant.dialogue.actions import Action
    from assistant.nlu.matcher import Match, NoMatch
    from assistant.session.factory import Language
    from assistant.session.replay import Moment, Recording

_INDENT = " " * 17
_MOST_CANDIDATES = 3
_NOT_KEPT = "the words were not kept"


class ReplayText:
    """Prints a replay as a play, with remarks under the lines."""

    def __init__(self, sessions: int) -> None:
        self.differences = 0
        self._sessions = sessions
        self._begun = 0
        self._events = 0
        self._words_missing = False

    def begin(self, recording: Recording, language: Language) -> None:
        """Begin a session."""
        from assistant.session.replay import CaptionAligner

        self._transcript = on_screen(language.pack.ui_text)
        self._begun += 1
        self._is_kept = recording.conditions is not None
        self._aligner = CaptionAligner(self._transcript.show)
        if self._sessions > 1:
            began = printable(recording.conditions.began) if recording.conditions else ""
            title = f"Session {self._begun} of {self._sessions}"
            print(f"{title}, {began}" if began else title, flush=True)

    def moment(self, moment: Moment, language: Language) -> None:
        """Print what was heard before an event, the event, and remarks on it."""
        from assistant.dialogue.events import UtteranceHeard, UtteranceMissed

        self._events += 1
        self._aligner.reach(moment.event)
        if isinstance(moment.event, UtteranceHeard | UtteranceMissed):
            self._transcript.you(moment.event.at, _words(moment.event))
        if isinstance(moment.event, UtteranceMissed):
            self._note(_seen(moment, language))
            self._words_missing |= not moment.event.text
        if moment.differs:
            self.differences += 1
            self._note(_differences(moment))
        self._aligner.perform(moment.actions)

    def _note(self, lines: Iterator[str]) -> None:
        self._transcript.finish()
        for line in lines:
            print(f"{_INDENT}{printable(line)}", flush=True)

    def end(self) -> None:
        """End a session."""
        self._aligner.close()
        self._transcript.finish()

    def close(self, file: Path) -> None:
        """Print the result."""
        events = f"{file}: {counted(self._events, 'event')}"
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
    """Return the candidates, each with its lead over the next one."""
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
    """Yield what was done then but not now, and vice versa."""
    yield f"line {moment.recorded.line}: answered otherwise than recorded"
    if moment.problem:
        yield f"  {moment.problem}"
    for change in _changes(moment.recorded.actions, moment.actions):
        yield f"  {change}"


def _changes(then: Sequence[Action], now: Sequence[Action]) -> Iterator[str]:
    """Yield the actions done only then, and those done only now."""
    marks = {"- ": "then: ", "+ ": "now:  "}
    for line in difflib.ndiff([*map(_short, then)], [*map(_short, now)]):
        if line[:2] in marks:
            yield marks[line[:2]] + line[2:]


def _short(action: Action) -> str:
    """Return an action on one line, without the number words of a count."""
    values = [
        f"{name}={value!r}"
        for name, value in ((f.name, getattr(action, f.name)) for f in fields(action))
        if name != "words"
    ]
    return f"{type(action).__name__}({', '.join(values)})"


class ReplayJson:
    """Prints a replay as JSON lines, one an event."""

    def __init__(self) -> None:
        self.differences = 0
        self._session = 0

    def begin(self, _recording: Recording, _language: Language) -> None:
        """Begin a session."""
        self._session += 1

    def moment(self, moment: Moment, language: Language) -> None:
        """Print one event."""
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
        """End a session."""

    def close(self, _file: Path) -> None:
        """Print nothing: JSON lines need no summary."""


def _plain(actions: Sequence[Action]) -> list[Any]:
    from assistant.session.journal import encode

    plain = (json.loads(encode(0.0, action)) for action in actions)
    return [{name: value for name, value in one.items() if name != "at"} for one in plain]
