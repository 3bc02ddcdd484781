"""The rules of the way back: it is gone, ease in, and a check-in some minutes later."""

from __future__ import annotations

from assistant.content.routines import HELPER
from assistant.dialogue.actions import CancelTimer, SetTimer
from assistant.dialogue.rules.holding import interrupted
from assistant.dialogue.state import State
from assistant.dialogue.turn import Turn

_SEATED = frozenset({"chair", "cant_stand", HELPER})
"""Where nobody is told to stand up afterwards."""
_ON_FOOT = frozenset({"", "standing"})


def ease(turn: Turn) -> Turn:
    """It is gone: walk, jog, ease in."""
    if not turn.now.version:  # nothing was coached yet
        return fine(turn)
    turn = interrupted(turn).go(State.EASING, place=State.IDLE, beat=1.0)
    now = turn.now
    if now.position == "bed":
        turn = turn.say("gone.bed")
    elif now.position in _SEATED or now.pregnant or not turn.pack.is_on_foot(now.muscle):
        turn = turn.say("gone.rest")
    else:
        turn = turn.say("gone.walk").say("gone.jog").say("gone.twitch")
    turn = turn.say("gone.sore") if now.rests > 1 else turn
    return turn.say("gone.listening").do(CancelTimer("long"))


def eased(turn: Turn) -> Turn:
    """Everything is said: listen, and ask in some minutes."""
    turn = turn.go(State.IDLE, eased_at=turn.event.at, questions=())
    seconds = turn.habits.checkin_seconds
    if seconds <= 0 or turn.now.position == "bed":
        return turn
    return turn.do(SetTimer("checkin", seconds))


def follow(turn: Turn) -> Turn:
    """Ask some minutes later how it is."""
    return turn.go(State.FOLLOWING).say("follow.ask")


def fine(turn: Turn) -> Turn:
    """It stayed away."""
    on_foot = turn.now.position in _ON_FOOT and turn.pack.is_on_foot(turn.now.muscle)
    return turn.hush().go(State.IDLE).say("follow.fine" if on_foot else "follow.fine_rest")
