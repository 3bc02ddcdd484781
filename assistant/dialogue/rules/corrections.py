"""The rules for what changes on the way: another muscle, side or position, or the same again."""

from __future__ import annotations

from assistant.dialogue.rules.controls import pause
from assistant.dialogue.rules.holding import encourage_to_hold, interrupt
from assistant.dialogue.rules.onset import ask_or_open, begin, note_slots
from assistant.dialogue.rules.questions import say_how_to_start
from assistant.dialogue.rules.resume import ask_again, resume
from assistant.dialogue.rules.rounds import escalate
from assistant.dialogue.rules.steps import reposition, speak_step
from assistant.dialogue.state import State
from assistant.dialogue.turn import Turn


def correct(turn: Turn) -> Turn:
    """Take in a cramp named while one is coached: another muscle, side or position, or the same."""
    if turn.slot("muscle") not in ("", turn.now.muscle):
        return begin(turn)
    before, changed = turn.now, note_slots(turn)
    after = changed.now
    if _needs_another_routine(before.side, after.side) or after.toes != before.toes:
        return ask_or_open(changed.hush())
    if after.position != before.position:
        return reposition(changed)
    if after.side != before.side:
        return resume(changed.hush())
    return encourage(turn)


def _needs_another_routine(side: str, named: str) -> bool:
    """Return whether one leg became both, or both one."""
    return named != side and "both" in (named, side)


def begin_or_explain(turn: Turn) -> Turn:
    """Begin if a muscle was named ("what do I do for my calf?"), else say how to."""
    return begin(turn) if turn.slot("muscle") else say_how_to_start(turn)


def back_of_thigh(turn: Turn) -> Turn:
    """Take "back" for the hamstring where it was asked which part of the thigh."""
    if turn.now.requested_slot == "thigh":
        return ask_or_open(turn.hush().know(muscle="hamstring"))
    return ask_again(turn.hush())


def pause_or_not_yet(turn: Turn) -> Turn:
    """Take "not yet" for an answer where it was asked how it feels; "wait" is a pause."""
    return escalate(turn) if turn.slot("gone") == "no" else pause(turn)


def other_version(turn: Turn) -> Turn:
    """Turn to the next version of the routine: this one cannot be done."""
    other = turn.routine.other(turn.version)
    if other is None:
        return resume(interrupt(turn).say("cant_do.only"))
    moved = turn.hush().know(version=other.name, step=0, counts_done=0)
    return speak_step(moved.say("opening.version"))


def encourage(turn: Turn) -> Turn:
    """Encourage and go on: the same cramp was named again, or a step still hurts."""
    state = turn.now.state
    if state is State.HOLDING:
        return encourage_to_hold(turn)
    if state in (State.CHECKING, State.EASING):
        return escalate(turn)
    return resume(turn.hush().say("encourage"))
