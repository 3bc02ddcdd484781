"""Raise a red flag, or put the question whose answer decides about it (domain text, part 4)."""

from __future__ import annotations

from assistant.dialogue.rules.barred import bar
from assistant.dialogue.state import State
from assistant.dialogue.turn import Turn


def warn(turn: Turn, flag: str) -> Turn:
    """Cut everything and say what to do; there is no coaching until the person is okay."""
    warned = (
        bar(turn.know(barred_before=turn.now.barred), flag)
        .hush()
        .go(
            State.WARNED,
            return_state=turn.return_state,
            red_flag=flag,
            counts_done=0,
            warning_repeats=0,
            safety_questions=(),
        )
    )
    return say_warning(warned)


def say_warning(turn: Turn) -> Turn:
    """Speak the lines of the red flag and ask for company."""
    for line in turn.pack.red_flags.flags[turn.now.red_flag].lines:
        turn = turn.speak(line)
    return turn.say("warned.company")


def ask_safety(turn: Turn, *names: str) -> Turn:
    """Put the safety questions that were not put before; without any, return the turn itself."""
    fresh = tuple(n for n in dict.fromkeys(names) if n and n not in turn.now.already_asked)
    if not fresh:
        return turn
    # A question that was put already stays to be answered; a new one comes before it.
    waiting = tuple(n for n in turn.now.safety_questions if n not in fresh)
    questions = fresh + (waiting if turn.now.state is State.TRIAGE else ())
    asking = turn.go(
        State.TRIAGE, return_state=turn.return_state, safety_questions=questions, wants_help=False
    )
    return put_question(asking)


def put_question(turn: Turn) -> Turn:
    """Speak the first of the safety questions that are left."""
    name = turn.now.safety_questions[0]
    asked = turn.know(already_asked=turn.now.already_asked | {name})
    return asked.speak(turn.pack.red_flags.questions[name].line)
