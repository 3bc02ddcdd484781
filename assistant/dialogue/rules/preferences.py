"""The rules for what a user changes by voice: hold, rounds, count, words and so on; and undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from assistant.dialogue.actions import CancelTimer, Remember, SetTimer, SetVoice
from assistant.dialogue.hold import CountStyle
from assistant.dialogue.rules.holding import interrupt
from assistant.dialogue.rules.resume import resume_if_active
from assistant.dialogue.state import CoachingOptions, State
from assistant.dialogue.triggers import Timer
from assistant.dialogue.turn import Turn

_OFF = "off"
_UNITS = {"minutes": 60, "seconds": 1}
"""Seconds of each unit."""
_RANGES = {"hold_seconds": (5, 60), "rounds": (1, 6), "minutes": (1, 60), "seconds": (10, 60)}
"""Smallest and largest number that is taken; for the check-in, in its unit."""
_STEPS = {"longer": 5, "shorter": -5}
"""Seconds by which a hold changes when no number is named."""


def change(turn: Turn) -> Turn:
    """Do it differently from now on, in later sessions too."""
    setting = turn.slot("setting")
    if setting not in _CHANGES:
        return turn
    turn = interrupt(turn)
    number, before = _number(turn, setting), turn.options
    value, key = _wanted(turn, setting, number)
    after = _CHANGES[setting](before, value)
    earlier = (*turn.now.earlier_options, before)
    turn = _spoken_by(turn, after.voice).know(changed_options=after, earlier_options=earlier)
    turn = _remembered(_checkin_reset(turn, setting), setting)
    return resume_if_active(turn.say(f"change.{key}", left=turn.number(number)))


def undo(turn: Turn) -> Turn:
    """Take the last change back."""
    turn = interrupt(turn)
    if not turn.now.earlier_options:
        return resume_if_active(turn.say("undo.nothing"))
    *earlier, before = turn.now.earlier_options
    turn = _spoken_by(turn, before.voice)
    turn = turn.know(changed_options=before, earlier_options=tuple(earlier))
    for setting in _CHANGES:
        turn = _remembered(turn, setting)
    turn = _checkin_reset(turn, "checkin_seconds")
    return resume_if_active(turn.say("undo.done"))


# --- What was wanted -----------------------------------------------------------------------------


def _wanted(turn: Turn, setting: str, number: int) -> tuple[str | int, str]:
    """Return the value that was asked for, and the last part of the key of its answer."""
    to = turn.slot("to")
    if setting == "voice":
        key = "voice" if turn.pack.voices.choices else "voice_only"
        return _next_voice(turn, to) or number, key
    if to in _STEPS:
        return number, setting
    if setting == "checkin_seconds" and not to:
        unit = _unit(turn)
        key = "checkin_minute" if (number, unit) == (1, "minutes") else f"checkin_{unit}"
        return number * _UNITS[unit], key
    return to or number, to or setting


def _number(turn: Turn, setting: str) -> int:
    """Return the number that was said, as near as the setting allows."""
    words = turn.pack.prompts.numbers
    said = turn.slot("number")
    number = words.index(said) if said in words else 0
    if turn.slot("to") in _STEPS:
        number = turn.options.hold_seconds + _STEPS[turn.slot("to")]
    low, high = _RANGES.get(_unit(turn) if setting == "checkin_seconds" else setting, (0, 0))
    return max(low, min(high, number))


def _unit(turn: Turn) -> str:
    """Return the unit of the check-in that was said; minutes if none was."""
    return turn.slot("unit") or "minutes"


def _next_voice(turn: Turn, kind: str) -> str:
    """Return the choice after the present voice, of one kind if that was asked for."""
    choices = list(turn.pack.voices.choices)
    # The usual voice is the first choice.
    present = turn.options.voice or next(iter(choices), "")
    after = choices.index(present) + 1 if present in choices else 0
    order = [*choices[after:], *choices[:after]]
    fitting = (name for name in order if kind in ("", turn.pack.voices.choices[name]))
    return next(fitting, turn.options.voice)


# --- What follows from a change ------------------------------------------------------------------


def _checkin_reset(turn: Turn, setting: str) -> Turn:
    """Let a check-in that is already set come at the new time, or not at all."""
    if setting != "checkin_seconds" or turn.now.state is not State.IDLE:
        return turn
    seconds = turn.options.checkin_seconds
    return turn.do(SetTimer(Timer.CHECKIN, seconds) if seconds else CancelTimer(Timer.CHECKIN))


def _spoken_by(turn: Turn, voice: str) -> Turn:
    return turn if voice == turn.options.voice else turn.do(SetVoice(voice))


def _remembered(turn: Turn, setting: str) -> Turn:
    return turn.do(Remember(setting, _as_text(turn.options, setting)))


def _as_text(options: CoachingOptions, setting: str) -> str:
    """Return a setting's value as the settings file has it."""
    value = options.count_style.value if setting == "count" else getattr(options, setting)
    return str(value).lower()


def _checkin(options: CoachingOptions, to: str | int) -> CoachingOptions:
    return replace(options, checkin_seconds=0.0 if to == _OFF else float(to))


_CHANGES: dict[str, Callable[[CoachingOptions, str | int], CoachingOptions]] = {
    "hold_seconds": lambda options, to: replace(options, hold_seconds=int(to)),
    "rounds": lambda options, to: replace(options, rounds=int(to)),
    "count": lambda options, to: replace(options, count_style=CountStyle(str(to))),
    "terse": lambda options, to: replace(options, terse=to == "yes"),
    "checkin_seconds": _checkin,
    "voice": lambda options, to: replace(options, voice=str(to or "")),
}
"""Setting to what a new value makes of the options."""
