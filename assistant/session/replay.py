"""A journal replayed: the events of the file through the dialogue as it is now.

Nothing is heard and no clock runs: time is what the file says. What Charley answers now is put
next to what it answered then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import get_args

from assistant.content.language_pack import LanguagePack
from assistant.dialogue.actions import Action
from assistant.dialogue.events import Event, HoldFinished, SpeechFinished, Started
from assistant.dialogue.machine import step
from assistant.dialogue.state import DialogueState
from assistant.errors import AssistantError, JournalError
from assistant.playback.captions import Caption, CaptionTimeline
from assistant.session.journal import Conditions, Entry

_EVENTS = get_args(Event)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event of a journal with what was done about it."""

    line: int
    """The event's line number in its file."""
    event: Event
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """One session of a journal."""

    conditions: Conditions | None
    """None if they were not kept."""
    turns: tuple[Recorded, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """One event answered again."""

    recorded: Recorded
    before: DialogueState
    after: DialogueState
    actions: tuple[Action, ...]
    """What Charley does about it now."""
    problem: str = ""
    """Why it can no longer be answered; empty if it can."""

    @property
    def event(self) -> Event:
        """What happened."""
        return self.recorded.event

    @property
    def differs(self) -> bool:
        """True if Charley now does something different."""
        return bool(self.problem) or self.actions != self.recorded.actions


def recordings(path: Path, entries: Iterable[Entry]) -> tuple[Recording, ...]:
    """Return the sessions of a journal; JournalError names file and line."""
    turns = list(_turns(path, list(entries)))
    if not turns:
        raise JournalError(f"{path} holds no session; write one with --journal {path}.")
    if not isinstance(turns[0][1].event, Started):
        raise JournalError(
            f"{path}, line {turns[0][1].line}: the session does not begin with Started; "
            "the file's beginning is missing."
        )
    begins = [n for n, (_, turn) in enumerate(turns) if isinstance(turn.event, Started)]
    return tuple(
        Recording(turns[first][0], tuple(turn for _, turn in turns[first:last]))
        for first, last in pairwise([*begins, len(turns)])
    )


def _turns(path: Path, entries: list[Entry]) -> Iterator[tuple[Conditions | None, Recorded]]:
    """Yield each event with its actions; Started also brings its session's conditions."""
    begins = [n for n, entry in enumerate(entries) if isinstance(entry.what, _EVENTS)]
    if entries and 0 not in begins:
        raise JournalError(f"{path}, line {entries[0].line}: an action comes before any event.")
    for first, last in pairwise([*begins, len(entries)]):
        event, *actions = (entry.what for entry in entries[first:last])
        done = Recorded(entries[first].line, event, tuple(actions))  # type: ignore[arg-type]
        yield entries[first].conditions, done


def play(recording: Recording, pack: LanguagePack, otherwise: Conditions) -> Iterator[Moment]:
    """Answer a session's events again; `otherwise` applies if its conditions were not kept."""
    conditions = recording.conditions or otherwise
    now = conditions.start
    for turn in recording.turns:
        before, actions, problem = now, tuple[Action, ...](), ""
        try:
            now, actions = step(before, turn.event, pack, conditions.coaching)
        except AssistantError as error:
            problem = str(error)
        except KeyError as error:  # a red flag or topic that is no longer in the language pack
            problem = f"Charley no longer knows {error}."
        except (ArithmeticError, LookupError, ValueError):  # what no conversation brings about
            problem = "Charley cannot answer this."
        yield Moment(turn, before, now, actions, problem)


# --- When each word was heard --------------------------------------------------------------------


class CaptionAligner:
    """Finds out when each line and count of a journal was heard.

    A journal has the times of events, not of each word. Between events, time is that of the
    captions; where the end of a speech or the position in a hold is known, the captions are moved
    there. So a typed session has its own times, and a spoken one those of its holds.
    """

    def __init__(self, show: Callable[[Caption], None]) -> None:
        """`show` gets each caption, at the journal's time."""
        self._show = show
        self._captions = CaptionTimeline(self._heard)
        self._at = 0.0
        """The journal's time, and that of the captions at the same moment."""
        self._own = 0.0
        self._until = 0.0
        """When the next event comes; what precedes it is shown no later."""
        self._shown = 0.0

    def reach(self, event: Event) -> None:
        """Let everything be heard that was heard before an event."""
        self._until = event.at
        own = self._own + max(0.0, event.at - self._at)
        if isinstance(event, SpeechFinished | HoldFinished):
            own = self._finish(type(event), own)
        elif (position := getattr(event, "hold_position_seconds", None)) is not None:
            own = self._count_to(position, own)
        while self._captions.advance(own) is not None:
            pass
        self._at, self._own = event.at, own

    def perform(self, actions: Iterable[Action]) -> None:
        """Queue, show or drop what the actions say."""
        for action in actions:
            self._captions.perform(action)

    def close(self) -> None:
        """Let the last lines be heard; a count that the file does not follow is left out."""
        self._until = float("inf")
        while (
            self._captions.hold_position_seconds is None
            and (due := self._captions.next_at) is not None
        ):
            self._captions.advance(due)

    def _finish(self, kind: type[Event], own: float) -> float:
        """Play on until the captions have come to the same end; return their time."""
        while (due := self._captions.next_at) is not None:
            if isinstance(self._captions.advance(due), kind):
                return due
        return own

    def _count_to(self, seconds: float, own: float) -> float:
        """Play on until this position in the hold; return the captions' time."""
        now = self._own
        while (since := self._captions.hold_position_seconds) is None:
            if (due := self._captions.next_at) is None:
                return own
            now = due
            self._captions.advance(due)
        return max(now, now - since + seconds)

    def _heard(self, caption: Caption) -> None:
        at = self._at + max(0.0, caption.at - self._own)
        self._shown = max(self._shown, min(at, self._until))
        self._show(Caption(self._shown, caption.kind, caption.text))
