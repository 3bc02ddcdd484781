"""The rules of the steps before a hold: next, back, again, in another position."""

from __future__ import annotations

from assistant.dialogue.actions import Say
from assistant.dialogue.events import UtteranceHeard
from assistant.dialogue.rules.holding import interrupt, resume_hold, start_hold
from assistant.dialogue.state import State
from assistant.dialogue.turn import Turn

_SAFETY = "opening.flags"
"""The line that says when to call for help; every routine's first steps wait for it."""
_REPLACED = frozenset({"opening.version", "opening.reassure"})
"""Lines of an opening that nobody misses."""


def reposition(turn: Turn) -> Turn:
    """Start again in the position that was named."""
    version = turn.routine.version(turn.now.position)
    changed = turn.hush().know(version=version.name, step=0, counts_done=0)
    changed = changed.know(unsaid=tuple(key for key in turn.now.unsaid if key == _SAFETY))
    return speak_step(changed.say("opening.version"))


def speak_step(turn: Turn) -> Turn:
    """Speak the step that is due, after what of the opening has not been heard."""
    queued = {action.key for action in turn.actions if isinstance(action, Say)}
    for key in turn.now.unsaid:
        if key.startswith("opening.") and key not in queued:
            turn = turn.say(key)
    turn = turn.go(State.GUIDING, confirmed=False)
    return turn.speak(turn.version.steps[turn.now.step])


def is_due_until_heard(turn: Turn, key: str) -> bool:
    """Return whether a line is said again if it was cut short: the opening, and the release."""
    if key.startswith("opening."):
        return key not in _REPLACED
    return bool(turn.now.version) and key == turn.version.release.key


def confirm_step(turn: Turn) -> Turn:
    """Take "okay" for the line being said, or said last; what is queued is still said."""
    if not turn.now.speaking:
        return next_step(turn)
    has_just_begun = isinstance(turn.event, UtteranceHeard) and turn.event.lines_left > 1
    return turn if has_just_begun else turn.know(confirmed=True)


def step_finished(turn: Turn) -> Turn:
    """Go on at once after a step that was confirmed while it was being said."""
    return next_step(turn) if turn.now.confirmed else turn


def deny_step(turn: Turn) -> Turn:
    """Take "no" for the step, unless it answers the opening: "felt a pop?" is none of its lines."""
    is_opening = any(line.key == _SAFETY for line in turn.now.last_lines)
    if turn.now.speaking and (turn.is_unfinished or is_opening):
        return turn
    return wait_step(turn)


def go_on(turn: Turn) -> Turn:
    """Go on to the next line: of the opening while that lasts, else to the next step.

    "Done" and "got it" confirm; "next" skips what is being said.
    """
    if turn.slot("done"):
        return confirm_step(turn)
    following = turn.lines_left[1:]
    if turn.now.unsaid and following:
        return turn.hush().know(unsaid=tuple(line.key for line in following)).do(*following)
    return next_step(turn)


def next_step(turn: Turn) -> Turn:
    """Go on to the next step, or to the hold after the last."""
    step = turn.now.step + 1
    if step >= len(turn.version.steps):
        return start_hold(turn.hush())
    return speak_step(turn.hush().know(step=step))


def skip_step(turn: Turn) -> Turn:
    """Go on to the next line, or straight to the hold if that was asked for."""
    return start_hold(turn.hush()) if turn.slot("to") == "hold" else go_on(turn)


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
