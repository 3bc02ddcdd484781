"""The rules of a hold: start it, count on after an interruption, answer inside it."""

from __future__ import annotations

from assistant.dialogue.state import State
from assistant.dialogue.turn import Turn


def start_hold(turn: Turn) -> Turn:
    """Speak the cue and count."""
    cue = turn.version.cue if turn.now.round == 0 else turn.version.again
    turn = turn.go(State.HOLDING, counted=0, one_more=False)
    turn = turn.say("hold.gentle") if turn.now.gentle else turn
    return turn.speak(cue).count()


def go_on_holding(turn: Turn) -> Turn:
    """Count on after an interruption."""
    held = turn.go(State.HOLDING)
    if held.now.counted == 0:
        return held.speak(held.version.again).count()
    return held.say("hold.resume").count(held.now.counted)


def interrupted(turn: Turn) -> Turn:
    """Cut the sound; a running hold remembers how far it came."""
    seconds = turn.hold_position_seconds
    if turn.now.state is not State.HOLDING or seconds is None:
        return turn.hush()
    return turn.hush().know(counted=counted(turn, seconds))


def counted(turn: Turn, seconds: float) -> int:
    """Return the counts done when the running hold is so many seconds old."""
    done = turn.now.counted + int(seconds / turn.now.beat + 1e-9)
    return min(done, turn.counts - 1)


def again_cue(turn: Turn) -> Turn:
    """Say in a few words what to do, and count on."""
    cut = interrupted(turn)
    return cut.speak(cut.version.again).count(cut.now.counted)


def one_more(turn: Turn) -> Turn:
    """Another round after this hold."""
    return turn.know(one_more=True).interject("hold.more")


def stay(turn: Turn) -> Turn:
    """Pain during the hold is expected: encourage in the gap."""
    return turn.interject("hold.stay")


def time_left(turn: Turn) -> Turn:
    """Answer between two counts how many are left."""
    if turn.hold_position_seconds is None:
        return turn.interject("hold.full", left=turn.number(turn.counts))
    left = turn.counts - counted(turn, turn.hold_position_seconds)
    if left <= 1:
        return turn.interject("hold.last")
    return turn.interject("hold.left", left=turn.number(left))


def slower_hold(turn: Turn) -> Turn:
    """Count on with longer beats."""
    cut = interrupted(turn).know(beat=min(2.0, turn.now.beat * 1.25))
    return cut.say("hold.slower").count(cut.now.counted)


def faster_hold(turn: Turn) -> Turn:
    """Back to beats of a second, never below: a short hold does not help."""
    return turn.know(beat=1.0, pace=min(1.5, turn.now.pace * 1.2)).interject("hold.stay")
