"""The rules of the steps before a hold: on, back, again, in another position."""

from __future__ import annotations

from assistant.dialogue.rules.holding import go_on_holding, interrupted, start_hold
from assistant.dialogue.state import State
from assistant.dialogue.turn import Turn


def reposition(turn: Turn) -> Turn:
    """Start again in the position that the person has named."""
    version = turn.routine.version(turn.now.position)
    changed = turn.hush().know(version=version.name, step=0, counted=0)
    return speak_step(changed.say("opening.version"))


def speak_step(turn: Turn) -> Turn:
    """Speak the step that is due."""
    return turn.go(State.GUIDING).speak(turn.version.steps[turn.now.step])


def next_step(turn: Turn) -> Turn:
    """The step is done: on to the next, or to the hold after the last."""
    step = turn.now.step + 1
    if step >= len(turn.version.steps):
        return start_hold(turn.hush())
    return speak_step(turn.hush().know(step=step))


def skip_step(turn: Turn) -> Turn:
    """This is known already: on to the next step, or right to the hold if that was asked for."""
    return start_hold(turn.hush()) if turn.slot("to") == "hold" else next_step(turn)


def last_step(turn: Turn) -> Turn:
    """Back from the hold or from what follows it to the step before."""
    last = len(turn.version.steps) - 1
    return speak_step(turn.hush().know(step=last, counted=0, one_more=False))


def back_step(turn: Turn) -> Turn:
    """One step back."""
    if turn.now.step == 0:
        return speak_step(turn.hush().say("back.first"))
    return speak_step(turn.hush().know(step=turn.now.step - 1))


def repeat_step(turn: Turn) -> Turn:
    """The same step once more."""
    return speak_step(turn.hush())


def explain_step(turn: Turn) -> Turn:
    """The same step, and the thought behind the exercise."""
    return speak_step(_idea(turn.hush()))


def wait_step(turn: Turn) -> Turn:
    """Not ready yet: the step again, with more time."""
    return speak_step(turn.hush().say("no.step")).rest(turn.habits.step_seconds)


def _idea(turn: Turn) -> Turn:
    return turn.say("opening.opposite") if turn.routine.opposite else turn


def explain_hold(turn: Turn) -> Turn:
    """Say the thought behind the exercise, and count on."""
    return go_on_holding(_idea(interrupted(turn)))
