"""The rules between the rounds: how does it feel, rest, another position, plan B, worse."""

from __future__ import annotations

from assistant.content import routines
from assistant.content.routines import Version
from assistant.dialogue.rules.holding import start_hold, stay
from assistant.dialogue.rules.onset import begin
from assistant.dialogue.rules.steps import speak_step
from assistant.dialogue.rules.triage import ask, warn
from assistant.dialogue.state import State
from assistant.dialogue.turn import Turn

PLAN_B = 2
"""The rung of the ladder on which the opposite muscle has not helped twice."""
_PLAN_B_SECONDS = 20.0
"""How long the gentle stretch is held (American Red Cross, about 20 s)."""


def held(turn: Turn) -> Turn:
    """The hold is over: let go slowly, then ask or rest."""
    turn = turn.know(counted=0).speak(turn.version.release)
    if turn.now.one_more:
        return take_rest(turn.know(round=turn.now.round + 1))
    return check(turn)


def end_hold(turn: Turn) -> Turn:
    """Do not hold any longer; "keep going" means to hold on."""
    return stay(turn) if turn.slot("going") == "on" else held(turn.hush())


def check(turn: Turn) -> Turn:
    """Ask whether it is gone, still there, or worse."""
    asked = turn.go(State.CHECKING, checks=turn.now.checks + 1)
    return asked.say("check.ask", 2 if turn.habits.terse else turn.now.checks)


def more(turn: Turn) -> Turn:
    """It still hurts: another round, another position, plan B, and then help."""
    turn = turn.hush().know(round=turn.now.round + 1)
    if turn.now.ladder >= PLAN_B:
        return warn(turn, "redflag_long_lasting")
    if turn.now.round < turn.habits.rounds:
        return take_rest(turn)
    if turn.now.ladder == 0:
        return _other_position(turn.know(ladder=1, round=0))
    return _plan_b(turn.know(ladder=PLAN_B))


def again(turn: Turn) -> Turn:
    """Another round was asked for."""
    return take_rest(turn.hush().know(round=turn.now.round + 1))


def take_rest(turn: Turn) -> Turn:
    """Rest for some breaths before the next round."""
    first = turn.now.rests == 0
    rested = turn.go(State.RESTING, rests=turn.now.rests + 1)
    rested = rested.say("rest.first" if first else "rest.next")
    if first and turn.now.position == "" and turn.pack.is_on_foot(turn.now.muscle):
        rested = rested.say("opening.reassure")
    return rested.rest(turn.habits.rest_seconds)


def rested(turn: Turn) -> Turn:
    """The rest, or plan B, is over."""
    return check(turn) if turn.now.ladder >= PLAN_B else start_hold(turn)


def start_round(turn: Turn) -> Turn:
    """Do not rest any longer."""
    return rested(turn.hush())


def _other_position(turn: Turn) -> Turn:
    other: Version | None = turn.routine.other(turn.version)
    if other is None:
        return take_rest(turn.know(gentle=True).say("ladder.same"))
    # Who cannot stand still cannot when it is over.
    seated = turn.now.position in ("chair", "cant_stand")
    position = turn.now.position if seated else other.serves[0]
    moved = turn.know(version=other.name, step=0, position=position)
    return speak_step(moved.say("ladder.position"))


def _plan_b(turn: Turn) -> Turn:
    turn = turn.go(State.RESTING).say("plan_b.opening").say("plan_b.stretch")
    turn = turn.say("plan_b.pregnant" if turn.now.pregnant else "plan_b.rub")
    return turn.rest(_PLAN_B_SECONDS)


def worse(turn: Turn) -> Turn:
    """It gets worse: let go, rule out a tear and a clot, then go on with less effort."""
    if _is_elsewhere(turn):
        return begin(turn)
    turn = turn.hush().know(worse=turn.now.worse + 1, gentle=True, counted=0)
    if turn.now.worse > 2 or turn.now.ladder >= PLAN_B:
        return warn(turn, "redflag_long_lasting")
    asked = ask(turn.go(State.RESTING).say("worse.loose"), "pop", "swollen")
    return asked if asked.now.state is State.TRIAGE else gentler(asked)


def _is_elsewhere(turn: Turn) -> bool:
    """Tell whether a third muscle cramps, neither the coached one nor the one that helps it."""
    found = routines.find(turn.pack.routines, turn.slot("muscle"), both=False, toes="")
    if found is None or not turn.now.version:
        return False
    return found.muscle != turn.now.muscle and found.name not in turn.routine.opposite


def gentler(turn: Turn) -> Turn:
    """One more round, barely squeezing."""
    turn = turn.go(State.RESTING, gentle=True).say("worse.gentle")
    return turn.rest(turn.habits.rest_seconds)
