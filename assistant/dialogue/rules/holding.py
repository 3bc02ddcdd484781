"""The rules of a hold: start it, count on after an interruption, answer inside it."""

from __future__ import annotations

from assistant.dialogue.state import State
from assistant.dialogue.turn import Turn

_LONGER, _LONGEST_BEAT = 1.25, 2.0
"""Factor of the beat for "slower", and the longest beat in seconds."""
_FASTER, _FASTEST_PACE = 1.2, 1.5


def start_hold(turn: Turn) -> Turn:
    """Speak the cue and count."""
    cue = turn.version.cue if turn.now.round == 0 else turn.version.again
    turn = turn.go(State.HOLDING, counts_done=0, one_more=False)
    turn = turn.say("hold.gentle") if turn.now.gentle else turn
    return turn.speak(cue).count()


def interrupt(turn: Turn) -> Turn:
    """Cut the sound; a running hold keeps its count."""
    if turn.now.state is not State.HOLDING or turn.hold_position_seconds is None:
        return turn.hush()
    done = turn.hold(turn.now.counts_done).counts_done(turn.hold_position_seconds)
    # An interrupted hold always has its last count before it.
    return turn.hush().know(counts_done=min(done, turn.count_target - 1))


def resume_hold(turn: Turn) -> Turn:
    """Count on after an interruption."""
    held = turn.go(State.HOLDING)
    if held.now.counts_done == 0:
        return held.speak(held.version.again).count()
    return held.say("hold.resume").count(held.now.counts_done)


def repeat_cue(turn: Turn) -> Turn:
    """Say in a few words what to do, and count on."""
    cut = interrupt(turn)
    return cut.speak(cut.version.again).count(cut.now.counts_done)


def one_more(turn: Turn) -> Turn:
    """Promise another round after this hold."""
    return turn.know(one_more=True).interject("hold.more")


def encourage_to_hold(turn: Turn) -> Turn:
    """Encourage between two counts: pain during the hold is expected."""
    return turn.interject("hold.stay")


def counts_left(turn: Turn) -> Turn:
    """Say between two counts how many are left."""
    if turn.hold_position_seconds is None:
        return turn.interject("hold.full", left=turn.number(turn.count_target))
    left = turn.hold(turn.now.counts_done).counts_left(turn.hold_position_seconds)
    if left <= 1:
        return turn.interject("hold.last")
    return turn.interject("hold.left", left=turn.number(left))


def slower_hold(turn: Turn) -> Turn:
    """Count on with longer beats."""
    cut = interrupt(turn).know(beat=min(_LONGEST_BEAT, turn.now.beat * _LONGER))
    return cut.say("hold.slower").count(cut.now.counts_done)


def faster_hold(turn: Turn) -> Turn:
    """Return to beats of a second, never less: a shorter hold does not help."""
    pace = min(_FASTEST_PACE, turn.now.pace * _FASTER)
    return turn.know(beat=1.0, pace=pace).interject("hold.stay")
