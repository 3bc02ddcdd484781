"""The rules of the steps before a hold: next, back, again, in another position."""

from __future__ import annotations

from assistant.dialogue.rules.holding import interrupt, resume_hold, start_hold
from assistant.dialogue.state import State
from assistant.dialogue.turn import Turn


def reposition(turn: Turn) -> Turn:
    """Start again in the position that was named."""
    version = turn.routine.version(turn.now.position)
    changed = turn.hush().know(version=version.name, step=0, counts_done=0)
    return speak_step(changed.say("opening.version"))


def speak_step(turn: Turn) -> Turn:
    """Speak the step that is due."""
    return turn.go(State.GUIDING).speak(turn.version.steps[turn.now.step])


def next_step(turn: Turn) -> Turn:
    """Go on to the next step, or to the hold after the last."""
    step = turn.now.step + 1
    if step >= len(turn.version.steps):
        return start_hold(turn.hush())
    return speak_step(turn.hush().know(step=step))


def skip_step(turn: Turn) -> Turn:
    """Go on to the next step, or straight to the hold if that was asked for."""
    return start_hold(turn.hush()) if turn.slot("to") == "hold" else next_step(turn)


def last_step(turn: Turn) -> Turn:
    """Go back to the last step, from the hold or from what follows it."""
    last = len(turn.version.steps) - 1
    return speak_step(turn.hush().know(step=last, counts_done=0, one_more=False))


def back_step(turn: Turn) -> Turn:
    """Go one step back."""
    if turn.now.step == 0:
        return speak_step(turn.hush().say("back.first"))
    return speak_step(turn.hush().know(step=turn.now.step - 1))


def repeat_step(turn: Turn) -> Turn:
    """Speak the same step again."""
    return speak_step(turn.hush())


def wait_step(turn: Turn) -> Turn:
    """Speak the step again and leave more time for it."""
    return speak_step(turn.hush().say("no.step")).rest(turn.options.step_seconds)


def explain_step(turn: Turn) -> Turn:
    """Say the idea of the exercise, then the step again."""
    return speak_step(_say_idea(turn.hush()))


def explain_hold(turn: Turn) -> Turn:
    """Say the idea of the exercise, and count on."""
    return resume_hold(_say_idea(interrupt(turn)))


def _say_idea(turn: Turn) -> Turn:
    return turn.say("opening.opposite") if turn.routine.opposite else turn
