"""A routine as one sound file, for a phone or a watch.

The real dialogue speaks it, to a runner who answers for the listener: still there until the rounds
are done, then gone. A file cannot hear, so what asks or promises to listen is left out.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from assistant.actions import Action, Say, Wait
from assistant.book import Book
from assistant.conversation import Sound
from assistant.errors import RoutineError
from assistant.events import UtteranceHeard
from assistant.matching import NoMatch
from assistant.pcm import Pcm, Samples
from assistant.player import Player
from assistant.prompts import Line
from assistant.routines import POSITIONS, Routine, find
from assistant.session import Session
from assistant.turn import Coaching, Dialogue, State

SIDES = ("left", "right", "both")

LEFT_OUT = ("check.", "triage.clear", "gone.listening", "gone.twitch", "opening.flags")
"""Beginnings of the keys of lines that ask, or ask to be told."""
_THINK_SECONDS = 3.0
"""Silence for the answer to a safety question."""
_FEEL_SECONDS = 1.5
"""Silence in place of "is it gone?"."""
_END_SECONDS = 0.5
_BLOCK_SECONDS = 0.02
_LONGEST_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be rendered."""

    routine: Routine
    side: str = ""
    position: str = ""

    @property
    def slots(self) -> Mapping[str, str]:
        """The slots of the utterance that asks for it."""
        named = {
            "muscle": self.routine.muscle, "toes": self.routine.toes,
            "side": "both" if self.routine.both else self.side,
            "position": self.position or ("standing" if self.routine.both else ""),
        }  # fmt: skip
        return {name: value for name, value in named.items() if value}


def wish(book: Book, name: str, side: str = "", position: str = "") -> Wish:
    """Return what a routine's file name, its muscle or its spoken name asks for. RoutineError."""
    side = side and _one_of("side", side, SIDES)
    position = position and _one_of("position", position, POSITIONS)
    names = _names(book)
    routine = names[_one_of("routine", name, names)]
    if routine.both and side in ("left", "right"):
        raise RoutineError(f"{routine.id} is for both sides; leave out --side {side}.")
    if side == "both" and not routine.both:
        routine = find(book.routines, routine.muscle, both=True, toes=routine.toes) or routine
    return Wish(routine, side, position)


def _names(book: Book) -> Mapping[str, Routine]:
    """Return every name of every routine: the file's, or else as it is spoken, or the muscle's."""
    routines = book.routines.values()
    muscles = {_key(r.muscle): r for r in routines if not (r.both or r.toes)}
    spoken = {_key(r.name): r for r in routines}
    return muscles | spoken | dict(book.routines)


def _key(name: str) -> str:
    return "_".join(name.lower().replace("-", " ").replace("_", " ").split())


def _one_of(what: str, value: str, known: Iterable[str]) -> str:
    """Return a value in the book's spelling; RoutineError names the nearest one."""
    key, names = _key(value), sorted(set(known))
    if key in names:
        return key
    near = difflib.get_close_matches(key, names, 1)
    hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(names)}."
    raise RoutineError(f'There is no {what} "{value[:40]}"; {hint}')


def render(
    book: Book,
    wish: Wish,
    coaching: Coaching,
    player: Player,
    *,
    start: Dialogue | None = None,
    progress: Callable[[float], None] = lambda _share: None,
) -> Pcm:
    """Return the routine as `player` plays it; counts begin on whole seconds of their hold.

    `progress` is told the share that is done, 0 to 1. Raises SynthesiserError.
    """
    tape = _Tape(player, book.prompts.line("about.safety"))
    session = Session(book, _Deaf(), coaching, tape, start=start)
    slots = wish.slots
    intent = "stitch" if wish.routine.muscle == "stitch" else "cramp"
    session.handle(UtteranceHeard(0.0, "", intent, slots))
    recorded: list[Samples] = []
    expected = _expected_seconds(coaching)
    while session.now.state is not State.IDLE or session.now.speaking:
        recorded.append(player.read(round(_BLOCK_SECONDS * player.rate)))
        at = player.position_samples / player.rate
        while (event := tape.advance(at)) is not None:
            session.handle(event)
        session.fire(at)
        if (answer := _answer(session.now, coaching.rounds)) is not None:
            session.handle(UtteranceHeard(at, "", answer))
        progress(min(1.0, at / expected))
        if at > _LONGEST_SECONDS:
            raise RoutineError(f"The routine {wish.routine.id} does not come to an end.")
    recorded.append(player.read(round(_END_SECONDS * player.rate)))
    progress(1.0)
    return Pcm(np.concatenate(recorded), player.rate)


def _expected_seconds(coaching: Coaching) -> float:
    return 45.0 + coaching.rounds * (coaching.hold_seconds + 18.0)


def _answer(now: Dialogue, rounds: int) -> str | None:
    """Return the intent of what the listener would say now; None for nothing."""
    if now.speaking:
        return None
    if now.state is State.CHECKING:
        return "still_hurts" if now.round + 1 < rounds else "relief_gone"
    return {State.TRIAGE: "no", State.ASKING: "yes"}.get(now.state)


def speech(text: str, player: Player) -> Pcm:
    """Return one line as `player` plays it, lead-in and volume included. SynthesiserError."""
    player.perform(Say("say", text))
    recorded: list[Samples] = []
    while not player.is_idle:
        recorded.append(player.read(round(_BLOCK_SECONDS * player.rate)))
    return Pcm(np.concatenate(recorded), player.rate)


class _Deaf:
    """Understands nothing, for nobody speaks to a file."""

    def match(self, text: str, context: frozenset[str] | None = None) -> NoMatch:  # noqa: ARG002
        return NoMatch(text, "a file does not listen")


class _Tape(Sound):
    """The player, but for the lines that a file must not say."""

    def __init__(self, player: Player, note: Line) -> None:
        """`note` is the safety note; it is said in the first rest, or else at the end."""
        super().__init__(player)
        self._note: Line | None = note

    def perform(self, action: Action) -> None:
        """Perform an action; what asks becomes a silence."""
        if not isinstance(action, Say):
            super().perform(action)
            return
        if not action.key.startswith(LEFT_OUT):
            super().perform(action)
        if action.key.startswith("triage.") and not action.key.startswith(LEFT_OUT):
            super().perform(Wait(_THINK_SECONDS))
        if action.key.startswith("check."):
            super().perform(Wait(_FEEL_SECONDS))
        # Not before the first hold: nobody listens to a note while it hurts most.
        if self._note and action.key.startswith(("rest.", "gone.listening")):
            super().perform(Say(self._note.key, self._note.text, action.pace))
            self._note = None
