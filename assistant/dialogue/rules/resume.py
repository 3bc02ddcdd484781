"""Going back to where an interruption came from: the same step, count or question."""

from __future__ import annotations

from assistant.dialogue.rules.holding import go_on_holding
from assistant.dialogue.rules.onset import pursue
from assistant.dialogue.rules.rounds import rested
from assistant.dialogue.rules.steps import speak_step
from assistant.dialogue.state import State
from assistant.dialogue.turn import Turn


def resume(turn: Turn) -> Turn:
    """Go on where the conversation was: the same step, count or question."""
    state = turn.now.state if turn.now.state in _RESUME else turn.now.place
    return _RESUME.get(state, _listen)(turn.go(state))


def ask_again(turn: Turn, nth: int = 0) -> Turn:
    """Put the question that waits for an answer once more, in other words."""
    now = turn.now
    if now.state is State.ASKING:
        if not now.asked:  # a safety question came in between
            return pursue(turn)
        return turn.say(f"ask.{now.asked}", nth + 1)
    if now.state is State.TRIAGE:
        return turn.speak(turn.pack.red_flags.questions[now.questions[0]].line)
    return turn.say(_AGAIN[now.state], nth)


def _keep_easing(turn: Turn) -> Turn:
    return turn.say("gone.listening")


def _listen(turn: Turn) -> Turn:
    return turn.go(State.IDLE).say("listening")


_AGAIN = {
    State.CHECKING: "check.again",
    State.FOLLOWING: "follow.ask",
    State.OFFERING: "okay.which",
    State.PAUSED: "pause.waiting",
}

_RESUME = {
    State.ASKING: ask_again,
    State.TRIAGE: ask_again,
    State.GUIDING: speak_step,
    State.HOLDING: go_on_holding,
    State.CHECKING: ask_again,
    State.RESTING: rested,
    State.EASING: _keep_easing,
    State.FOLLOWING: ask_again,
    State.PAUSED: ask_again,
    State.OFFERING: ask_again,
}
