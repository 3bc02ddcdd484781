"""Raise a red flag, or put the question that tells whether it is one (domain text, part 4)."""

from __future__ import annotations

from assistant.dialogue.state import State
from assistant.dialogue.turn import Turn


def warn(turn: Turn, flag: str) -> Turn:
    """Cut everything and say what to do; coaching is over until the person is okay."""
    warned = turn.hush().go(
        State.WARNED, place=turn.place, flag=flag, counted=0, warned_times=0, questions=()
    )
    return say_warning(warned)


def say_warning(turn: Turn) -> Turn:
    """Speak the lines of the red flag and ask for company."""
    for line in turn.pack.red_flags.flags[turn.now.flag].lines:
        turn = turn.speak(line)
    return turn.say("warned.company")


def ask(turn: Turn, *names: str) -> Turn:
    """Put safety questions that were not put before; the turn stays as it was if none is left."""
    fresh = tuple(n for n in dict.fromkeys(names) if n and n not in turn.now.answered)
    if not fresh:
        return turn
    return put(turn.go(State.TRIAGE, place=turn.place, questions=fresh, wants_help=False))


def put(turn: Turn) -> Turn:
    """Speak the safety question that is due."""
    name = turn.now.questions[0]
    asked = turn.know(answered=turn.now.answered | {name})
    return asked.speak(turn.pack.red_flags.questions[name].line)
