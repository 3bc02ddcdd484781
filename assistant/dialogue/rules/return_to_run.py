"""The rules of the way back: the cramp is gone, ease in, and a check-in some minutes later."""

from __future__ import annotations

from assistant.content.routines import HELPER
from assistant.dialogue.actions import CancelTimer, SetTimer
from assistant.dialogue.rules.holding import interrupt
from assistant.dialogue.state import State
from assistant.dialogue.triggers import Timer
from assistant.dialogue.turn import Turn

_SEATED = frozenset({"chair", "cant_stand", HELPER})
"""Positions after which nobody is told to stand up."""


def ease(turn: Turn) -> Turn:
    """Say how to ease in, now that it is gone: walk, jog, run."""
    if not turn.now.version:  # nothing was coached yet
        return stayed_away(turn)
    turn = interrupt(turn).go(State.EASING, return_state=State.IDLE, beat=1.0)
    for key in _easing_lines(turn):
        turn = turn.say(key)
    turn = turn.say("gone.sore") if turn.now.rests > 1 else turn
    return turn.say("gone.listening").do(CancelTimer(Timer.LONG))


def _easing_lines(turn: Turn) -> tuple[str, ...]:
    now = turn.now
    if now.position == "bed":
        return ("gone.bed",)
    if now.position in _SEATED or now.pregnant or not turn.pack.is_on_foot(now.muscle):
        return ("gone.rest",)
    return ("gone.walk", "gone.jog", "gone.twitch")


def eased(turn: Turn) -> Turn:
    """Listen, now that everything is said, and check in some minutes later."""
    turn = turn.go(State.IDLE, eased_at=turn.event.at, safety_questions=())
    seconds = turn.options.checkin_seconds
    if seconds <= 0 or turn.now.position == "bed":
        return turn
    return turn.do(SetTimer(Timer.CHECKIN, seconds))


def check_in(turn: Turn) -> Turn:
    """Ask some minutes later how it is."""
    return turn.go(State.FOLLOWING).say("follow.ask")


def stayed_away(turn: Turn) -> Turn:
    """Say goodbye: the cramp did not come back."""
    return turn.hush().go(State.IDLE).say("follow.fine" if turn.is_on_foot else "follow.fine_rest")
