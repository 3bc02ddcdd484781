"""The safety rules: red flags, triage questions, and the way out of a warning."""

from __future__ import annotations

from assistant.dialogue.rules.holding import interrupted
from assistant.dialogue.rules.onset import pursue
from assistant.dialogue.rules.resume import resume
from assistant.dialogue.rules.triage import ask, put, say_warning, warn
from assistant.dialogue.state import COACHING, State
from assistant.dialogue.turn import Turn

_REPEAT_SECONDS = (10.0, 15.0, 20.0, 30.0)
"""Silences between the repeats of a warning; it goes on until it is answered."""


def red_flag(turn: Turn) -> Turn:
    """A sign at which coaching must end, or one question if it may not be one."""
    intent = turn.intent
    known = turn.know(muscle=turn.slot("muscle") or turn.now.muscle)
    if intent == "redflag_pregnant":
        known = _is_pregnant(known)
    question = turn.pack.red_flags.question_for(intent, turn.slot("certain") != "no")
    if not question or turn.now.state is State.WARNED:
        return warn(known, intent)
    return _ask_about(known, question)


def _is_pregnant(turn: Turn) -> Turn:
    """The coaching that follows is gentler, and starts if nothing ran."""
    turn = turn.know(pregnant=True)
    if turn.now.state is State.IDLE:
        return turn.know(state=State.ASKING, asked="", place=State.ASKING)
    return turn


def _ask_about(turn: Turn, question: str) -> Turn:
    """Put a question even if it was put before: something new was said."""
    turn = interrupted(turn)
    return ask(turn.know(answered=turn.now.answered - {question}), question)


def help_wanted(turn: Turn) -> Turn:
    """Help was called for: rule out an emergency first, then say what can be said."""
    if turn.slot("topic") == "words":
        return _offer_words(interrupted(turn))
    return _ask_about(turn, "faint").know(wants_help=True)


def triage_yes(turn: Turn) -> Turn:
    """The sign is there."""
    return warn(turn, turn.pack.red_flags.questions[turn.now.questions[0]].flag)


def triage_no(turn: Turn) -> Turn:
    """The sign is not there: the next question, or on where we were."""
    turn = turn.hush().know(questions=turn.now.questions[1:])
    if turn.now.questions:
        return put(turn)
    turn = turn.go(turn.now.place)
    if turn.now.wants_help:
        return _offer_words(turn)
    if turn.now.state is State.IDLE:
        return turn.say("triage.idle")
    if turn.now.state is State.ASKING:
        return pursue(turn)
    return resume(turn.say("triage.clear"))


def _offer_words(turn: Turn) -> Turn:
    if turn.now.state in COACHING:
        return resume(turn.say("help.commands").say("help.feelings"))
    if turn.now.state is State.IDLE:
        return turn.say("help.start").say("about.aims")
    return resume(turn)


def okay(turn: Turn) -> Turn:
    """The person says that they are okay: offer to carry on, never just go on."""
    if turn.now.place is State.IDLE:
        return turn.hush().go(State.IDLE).say("okay.idle")
    return turn.hush().go(State.OFFERING).say("okay.offer").say("okay.which")


def carry_on(turn: Turn) -> Turn:
    """Back to the place that the warning or the pause left."""
    return resume(turn.hush().go(turn.now.place))


def with_company(turn: Turn) -> Turn:
    """Someone is there."""
    return turn.hush().say("warned.good")


def alone(turn: Turn) -> Turn:
    """Nobody is there."""
    return turn.hush().say("warned.alone")


def first_okay(turn: Turn) -> Turn:
    """Anything else during a warning waits until the person is okay."""
    return turn.hush().say("warned.first")


def repeat_warning(turn: Turn) -> Turn:
    """Nobody answered yet: say it again."""
    times = turn.now.warned_times + 1
    return say_warning(turn.hush().know(warned_times=times))


def repeat_seconds(times: int) -> float:
    """Return the silence before a warning is said again."""
    return _REPEAT_SECONDS[min(times, len(_REPEAT_SECONDS) - 1)]


def quieten(turn: Turn) -> Turn:
    """End the words of a warning, but not the warning."""
    return turn.hush().know(quiet=True).say("stop.warned")
