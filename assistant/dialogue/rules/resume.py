"""Going back to where an interruption came from: the same step, count or question."""

from __future__ import annotations

from assistant.dialogue.rules.holding import resume_hold
from assistant.dialogue.rules.onset import ask_or_open
from assistant.dialogue.rules.rounds import rest_over
from assistant.dialogue.rules.steps import speak_step
from assistant.dialogue.state import State
from assistant.dialogue.turn import Turn

_INACTIVE = frozenset({State.IDLE, State.PAUSED, State.WARNED})
"""Where there is nothing to go on with."""


def resume(turn: Turn) -> Turn:
    """Go on with the step, count or question that the conversation was at."""
    state = turn.now.state if turn.now.state in _RESUME else turn.now.return_state
    return _RESUME.get(state, _listen)(turn.go(state))


def resume_if_active(turn: Turn) -> Turn:
    """Go on, if there is something to go on with."""
    return turn if turn.now.state in _INACTIVE else resume(turn)


def carry_on(turn: Turn) -> Turn:
    """Go back to the state that a warning or a pause left."""
    return resume(turn.hush().go(turn.now.return_state))


def agreed(turn: Turn) -> Turn:
    """Carry on at "okay", unless that answers a line before the question."""
    return turn if turn.is_unfinished else carry_on(turn)


def unpaused(turn: Turn) -> Turn:
    """Carry on at "okay", unless that confirms the pause itself."""
    return turn if turn.lines_left else carry_on(turn)


def ask_again(turn: Turn, nth: int = 0) -> Turn:
    """Put the question that waits for an answer again; `nth` chooses among its wordings."""
    now = turn.now
    if now.state is State.CHECKING and turn.version.release.key in now.unsaid:
        turn = turn.speak(turn.version.release)
    if now.state is State.ASKING:
        if not now.requested_slot:  # a safety question came in between
            return ask_or_open(turn)
        return turn.say(f"ask.{now.requested_slot}", nth + 1)
    if now.state is State.TRIAGE:
        turn = turn.say("triage.ask", nth)
        return turn.speak(turn.pack.red_flags.questions[now.safety_questions[0]].line)
    return turn.say(_QUESTIONS[now.state], nth)


def _keep_easing(turn: Turn) -> Turn:
    return turn.say("gone.listening")


def _listen(turn: Turn) -> Turn:
    return turn.go(State.IDLE).say("listening")


_QUESTIONS = {
    State.CHECKING: "check.again",
    State.FOLLOWING: "follow.ask",
    State.OFFERING: "okay.which",
    State.PAUSED: "pause.waiting",
}
"""State to the prompt that repeats its question."""

_RESUME = {
    State.ASKING: ask_again,
    State.TRIAGE: ask_again,
    State.GUIDING: speak_step,
    State.HOLDING: resume_hold,
    State.CHECKING: ask_again,
    State.RESTING: rest_over,
    State.EASING: _keep_easing,
    State.FOLLOWING: ask_again,
    State.PAUSED: ask_again,
    State.OFFERING: ask_again,
}
"""State to the rule that goes on with it."""
