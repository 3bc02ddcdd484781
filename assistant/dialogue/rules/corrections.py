"""The rules for what changes on the way: another muscle, side or position, or the same again."""

from __future__ import annotations

from assistant.dialogue.rules.controls import pause, say_how_to_start
from assistant.dialogue.rules.holding import interrupted, stay
from assistant.dialogue.rules.onset import begin, pursue, take_in
from assistant.dialogue.rules.resume import ask_again, resume
from assistant.dialogue.rules.rounds import more
from assistant.dialogue.rules.steps import reposition, speak_step
from assistant.dialogue.state import State
from assistant.dialogue.turn import Turn


def change(turn: Turn) -> Turn:
    """A cramp was named while one is coached: another muscle, side or position, or the same."""
    now, muscle = turn.now, turn.slot("muscle")
    if muscle and muscle != now.muscle:
        return begin(turn)
    changed = take_in(turn)
    if changed.now.side != now.side and "both" in (changed.now.side, now.side):
        return pursue(changed.hush())
    if changed.now.toes != now.toes:
        return pursue(changed.hush())
    if changed.now.position != now.position:
        return reposition(changed)
    if changed.now.side != now.side:
        return resume(changed.hush())
    return encourage(turn)


def start_or_tell(turn: Turn) -> Turn:
    """Begin if the place was named ("what do I do for my calf?"), else tell how to."""
    return begin(turn) if turn.slot("muscle") else say_how_to_start(turn)


def behind(turn: Turn) -> Turn:
    """Take "back" for a place where the thigh was asked for."""
    if turn.now.asked == "thigh":
        return pursue(turn.hush().know(muscle="hamstring"))
    return ask_again(turn.hush())


def wait_or_more(turn: Turn) -> Turn:
    """Take "not yet" for an answer where it was asked how it feels; "wait" is a pause."""
    return more(turn) if turn.slot("gone") == "no" else pause(turn)


def another_way(turn: Turn) -> Turn:
    """This one cannot be done: the next version of the routine."""
    other = turn.routine.other(turn.version)
    if other is None:
        return resume(interrupted(turn).say("cant_do.only"))
    moved = turn.hush().know(version=other.name, step=0, counted=0)
    return speak_step(moved.say("opening.version"))


def encourage(turn: Turn) -> Turn:
    """The same cramp named again, or "still hurts" at a step: say so and go on."""
    state = turn.now.state
    if state is State.HOLDING:
        return stay(turn)
    if state in (State.CHECKING, State.EASING):
        return more(turn)
    return resume(turn.hush().say("encourage"))
