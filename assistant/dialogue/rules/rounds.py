"""The rules between the rounds: how does it feel, rest, another position, plan B, worse."""

from __future__ import annotations

from assistant.content import routines
from assistant.dialogue.rules.holding import encourage_to_hold, start_hold
from assistant.dialogue.rules.onset import begin
from assistant.dialogue.rules.steps import speak_step
from assistant.dialogue.rules.triage import ask_safety, warn
from assistant.dialogue.state import State
from assistant.dialogue.turn import Turn

PLAN_B = 2
"""The rung of the ladder on which two positions have not helped."""
_PLAN_B_SECONDS = 20.0
"""How long the gentle stretch is held (American Red Cross, about 20 s)."""


def hold_finished(turn: Turn) -> Turn:
    """Let go slowly, then ask how it feels, or rest if another round was asked for."""
    turn = turn.know(counts_done=0).speak(turn.version.release)
    if turn.now.one_more:
        return take_rest(turn.know(round=turn.now.round + 1))
    return check(turn)


def end_hold(turn: Turn) -> Turn:
    """End the hold early; "keep going" means to hold on."""
    if turn.slot("done") and turn.hold_position_seconds is None:
        return turn  # "got it" confirms the cue, which is still being spoken
    is_to_hold_on = turn.slot("going") == "on"
    return encourage_to_hold(turn) if is_to_hold_on else hold_finished(turn.hush())


def check(turn: Turn) -> Turn:
    """Ask whether it is gone, still there, or worse."""
    checking = turn.go(State.CHECKING, checks=turn.now.checks + 1)
    return checking.say("check.ask", 2 if turn.options.terse else turn.now.checks)


def escalate(turn: Turn) -> Turn:
    """Try the next thing, for it still hurts: a round, another position, plan B, then help."""
    turn = turn.hush().know(round=turn.now.round + 1)
    if turn.now.ladder >= PLAN_B:
        return warn(turn, "redflag_long_lasting")
    if turn.now.round < turn.options.rounds:
        return take_rest(turn)
    if turn.now.ladder == 0:
        return _other_position(turn.know(ladder=1, round=0))
    return _plan_b(turn.know(ladder=PLAN_B))


def another_round(turn: Turn) -> Turn:
    """Do another round because it was asked for."""
    return take_rest(turn.hush().know(round=turn.now.round + 1))


def take_rest(turn: Turn) -> Turn:
    """Rest for some breaths before the next round."""
    is_first = turn.now.rests == 0
    resting = turn.go(State.RESTING, rests=turn.now.rests + 1)
    resting = resting.say("rest.first" if is_first else "rest.next")
    if is_first and turn.now.position == "" and turn.pack.is_on_foot(turn.now.muscle):
        resting = resting.say("opening.reassure")
    return resting.rest(turn.options.rest_seconds)


def rest_over(turn: Turn) -> Turn:
    """Start the next hold after a rest; after plan B ask how it feels."""
    return check(turn) if turn.now.ladder >= PLAN_B else start_hold(turn)


def skip_rest(turn: Turn) -> Turn:
    """Cut the rest short."""
    return rest_over(turn.hush())


def end_rest(turn: Turn) -> Turn:
    """Cut the rest short, but not its lines: "done" and "got it" confirm those."""
    return turn if turn.slot("done") and turn.lines_left else skip_rest(turn)


def _other_position(turn: Turn) -> Turn:
    other = turn.routine.other(turn.version)
    if other is None:
        return take_rest(turn.know(gentle=True).say("ladder.same"))
    # Somebody who cannot stand now cannot stand afterwards either.
    is_seated = turn.now.position in ("chair", "cant_stand")
    position = turn.now.position if is_seated else other.serves[0]
    moved = turn.know(version=other.name, step=0, position=position)
    return speak_step(moved.say("ladder.position"))


def _plan_b(turn: Turn) -> Turn:
    turn = turn.go(State.RESTING).say("plan_b.opening").say("plan_b.stretch")
    turn = turn.say("plan_b.pregnant" if turn.now.pregnant else "plan_b.rub")
    return turn.rest(_PLAN_B_SECONDS)


def worse(turn: Turn) -> Turn:
    """Let go, rule out a tear and a clot, then go on with less effort."""
    if _is_third_muscle(turn):
        return begin(turn)
    turn = turn.hush().know(times_worse=turn.now.times_worse + 1, gentle=True, counts_done=0)
    if turn.now.times_worse > 2 or turn.now.ladder >= PLAN_B:
        return warn(turn, "redflag_long_lasting")
    asking = ask_safety(turn.go(State.RESTING).say("worse.loose"), "pop", "swollen")
    return asking if asking.now.state is State.TRIAGE else _gentler(asking)


def _is_third_muscle(turn: Turn) -> bool:
    """Return whether neither the coached muscle nor the one that helps it was named."""
    found = routines.find(turn.pack.routines, turn.slot("muscle"), both=False, toes="")
    if found is None or not turn.now.version:
        return False
    return found.muscle != turn.now.muscle and found.name not in turn.routine.opposite


def _gentler(turn: Turn) -> Turn:
    turn = turn.go(State.RESTING, gentle=True).say("worse.gentle")
    return turn.rest(turn.options.rest_seconds)
