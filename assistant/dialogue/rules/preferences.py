"""The rules for what a user changes by voice: hold, rounds, count, words, and so on; and undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from assistant.dialogue.actions import CancelTimer, Remember, SetTimer, SetVoice
from assistant.dialogue.hold import CountStyle
from assistant.dialogue.rules.controls import back_to_place
from assistant.dialogue.rules.holding import interrupted
from assistant.dialogue.state import CoachingOptions, State
from assistant.dialogue.turn import Turn

_OFF = "off"
_UNITS = {"minutes": 60, "seconds": 1}
"""Seconds of each unit."""
_RANGES = {"hold_seconds": (5, 60), "rounds": (1, 6), "minutes": (1, 60), "seconds": (10, 60)}
"""Smallest and largest number that is taken, of the check-in in its unit."""
_STEPS = {"longer": 5, "shorter": -5}
"""Seconds by which a hold changes when no number is named."""


def change(turn: Turn) -> Turn:
    """Do it differently from now on, also in later sessions."""
    setting, to = turn.slot("setting"), turn.slot("to")
    if setting not in _CHANGES:
        return turn
    turn = interrupted(turn)
    number = _number(turn, setting)
    before, key = turn.habits, to or setting
    if setting == "voice":
        to, key = _next_voice(turn, to), "voice" if turn.pack.voices.choices else "voice_only"
    elif to in _STEPS:
        to, key = "", setting
    elif setting == "checkin_seconds" and not to:
        key = f"checkin_{'minute' if (number, _unit(turn)) == (1, 'minutes') else _unit(turn)}"
        to = str(number * _UNITS[_unit(turn)])
    after = _CHANGES[setting](before, to or number)
    turn = _spoken_by(turn, after.voice).know(habits=after, before=(*turn.now.before, before))
    turn = _kept(_reset_checkin(turn, setting), setting)
    return back_to_place(turn.say(f"change.{key}", left=turn.number(number)))


def undo(turn: Turn) -> Turn:
    """Take the last change back."""
    turn = interrupted(turn)
    if not turn.now.before:
        return back_to_place(turn.say("undo.nothing"))
    *earlier, before = turn.now.before
    turn = _spoken_by(turn, before.voice).know(habits=before, before=tuple(earlier))
    for setting in _CHANGES:
        turn = _kept(turn, setting)
    turn = _reset_checkin(turn, "checkin_seconds")
    return back_to_place(turn.say("undo.done"))


def _number(turn: Turn, setting: str) -> int:
    """Return the number that was said, as near as the setting allows."""
    words = turn.pack.prompts.numbers
    said = turn.slot("number")
    number = words.index(said) if said in words else 0
    if turn.slot("to") in _STEPS:
        number = turn.habits.hold_seconds + _STEPS[turn.slot("to")]
    low, high = _RANGES.get(_unit(turn) if setting == "checkin_seconds" else setting, (0, 0))
    return max(low, min(high, number))


def _unit(turn: Turn) -> str:
    """Return the unit of the check-in that was said; minutes if none was."""
    return turn.slot("unit") or "minutes"


def _reset_checkin(turn: Turn, setting: str) -> Turn:
    """Let a check-in that is already waiting come at the new time, or not at all."""
    if setting != "checkin_seconds" or turn.now.state is not State.IDLE:
        return turn
    seconds = turn.habits.checkin_seconds
    return turn.do(SetTimer("checkin", seconds) if seconds else CancelTimer("checkin"))


def _next_voice(turn: Turn, kind: str) -> str:
    """Return the choice behind the voice that speaks, of one kind if that was asked for."""
    choices = list(turn.pack.voices.choices)
    # The usual voice is the first choice.
    now = turn.habits.voice or next(iter(choices), "")
    behind = choices.index(now) + 1 if now in choices else 0
    order = [*choices[behind:], *choices[:behind]]
    fitting = (name for name in order if kind in ("", turn.pack.voices.choices[name]))
    return next(fitting, turn.habits.voice)


def _spoken_by(turn: Turn, voice: str) -> Turn:
    return turn if voice == turn.habits.voice else turn.do(SetVoice(voice))


def _kept(turn: Turn, setting: str) -> Turn:
    return turn.do(Remember(setting, _written(turn.habits, setting)))


def _written(habits: CoachingOptions, setting: str) -> str:
    """Return a setting's value as the settings file would have it."""
    value = habits.count_style.value if setting == "count" else getattr(habits, setting)
    return str(value).lower()


def _checkin(habits: CoachingOptions, to: str | int) -> CoachingOptions:
    return replace(habits, checkin_seconds=0.0 if to == _OFF else float(to))


_CHANGES: dict[str, Callable[[CoachingOptions, str | int], CoachingOptions]] = {
    "hold_seconds": lambda habits, to: replace(habits, hold_seconds=int(to)),
    "rounds": lambda habits, to: replace(habits, rounds=int(to)),
    "count": lambda habits, to: replace(habits, count_style=CountStyle(str(to))),
    "terse": lambda habits, to: replace(habits, terse=to == "yes"),
    "checkin_seconds": _checkin,
    "voice": lambda habits, to: replace(habits, voice=str(to or "")),
}
