"""The rules for what a user changes by voice: hold, rounds, count, words, check-in; and undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from assistant.actions import Remember
from assistant.controls import back_to_place
from assistant.hold import CountStyle
from assistant.holding import interrupted
from assistant.turn import Coaching, Turn

_OFF = "off"
_RANGES = {"hold_seconds": (5, 60), "rounds": (1, 6), "checkin_seconds": (1, 60)}
"""Smallest and largest number that is taken, the check-in in minutes."""


def change(turn: Turn) -> Turn:
    """Do it differently from now on, also in later sessions."""
    setting, to = turn.slot("setting"), turn.slot("to")
    if setting not in _CHANGES:
        return turn
    turn = interrupted(turn)
    number = _number(turn, setting)
    before = turn.habits
    after = _CHANGES[setting](before, to or number)
    turn = turn.know(habits=after, before=(*turn.now.before, before))
    key = to if to else setting
    return back_to_place(_kept(turn, setting).say(f"change.{key}", left=turn.number(number)))


def undo(turn: Turn) -> Turn:
    """Take the last change back."""
    turn = interrupted(turn)
    if not turn.now.before:
        return back_to_place(turn.say("undo.nothing"))
    *earlier, before = turn.now.before
    turn = turn.know(habits=before, before=tuple(earlier))
    for setting in _CHANGES:
        turn = _kept(turn, setting)
    return back_to_place(turn.say("undo.done"))


def _number(turn: Turn, setting: str) -> int:
    """Return the number that was said, as near as the setting allows."""
    words = turn.book.prompts.numbers
    said = turn.slot("number")
    number = words.index(said) if said in words else 0
    low, high = _RANGES.get(setting, (0, 0))
    return max(low, min(high, number))


def _kept(turn: Turn, setting: str) -> Turn:
    return turn.do(Remember(setting, _written(turn.habits, setting)))


def _written(habits: Coaching, setting: str) -> str:
    """Return a setting's value as the settings file would have it."""
    value = habits.count_style.value if setting == "count" else getattr(habits, setting)
    return str(value).lower()


def _checkin(habits: Coaching, to: str | int) -> Coaching:
    minutes = 0 if to == _OFF else int(to)
    return replace(habits, checkin_seconds=60.0 * minutes)


_CHANGES: dict[str, Callable[[Coaching, str | int], Coaching]] = {
    "hold_seconds": lambda habits, to: replace(habits, hold_seconds=int(to)),
    "rounds": lambda habits, to: replace(habits, rounds=int(to)),
    "count": lambda habits, to: replace(habits, count_style=CountStyle(str(to))),
    "terse": lambda habits, to: replace(habits, terse=to == "yes"),
    "checkin_seconds": _checkin,
}
