"""The coaching rules: from a cramp to the steps, the hold, the rounds, and back to the run.

Each public function is a rule: it takes the turn and returns the turn that answers it.
"""

from __future__ import annotations

from assistant import routines
from assistant.actions import CancelTimer, SetTimer
from assistant.errors import RoutineError
from assistant.routines import Routine, Version
from assistant.turn import COACHING, State, Turn
from assistant.warning import ask, warn

PLAN_B = 2
"""The rung of the ladder on which the opposite muscle has not helped twice."""
_PLAN_B_SECONDS = 20.0
"""How long the gentle stretch is held (American Red Cross, about 20 s)."""

# A cramp is named


def begin(turn: Turn) -> Turn:
    """A cramp was named: start from its slots, or go on if it is the last one come back."""
    if _is_return(turn):
        return came_back(turn)
    return pursue(_fill(_restart(turn.hush(), turn.slot("muscle"))))


def begin_stitch(turn: Turn) -> Turn:
    """A stitch was named: it has a routine of its own."""
    return pursue(_fill(_restart(turn.hush(), "stitch")))


def fill_in(turn: Turn) -> Turn:
    """The answer to "where is it?" or "standing or sitting?"."""
    return pursue(_fill(turn.hush()))


def assume(turn: Turn) -> Turn:
    """A question was passed over: take the commonest answer (domain text part 5: the calf)."""
    turn = turn.hush()
    if turn.now.asked == "position":
        return pursue(turn.know(position="sitting"))
    return pursue(turn.know(muscle="quad" if turn.now.asked == "thigh" else "calf"))


def pursue(turn: Turn) -> Turn:
    """Ask for what is still needed, or start the routine."""
    now = turn.now
    found = _found(turn)
    triage = ask(turn, turn.slot("triage"), *(found.triage if found else ()))
    if triage is not turn:
        return triage.know(place=State.ASKING, asked="")
    if not now.muscle:
        return _ask(turn, "muscle")
    if now.muscle == "thigh":
        return _ask(turn, "thigh")
    if found is None:
        raise RoutineError(f"No routine is for the muscle “{now.muscle}”; add one to routines/.")
    turn = turn.know(routine=found.id)
    if found.both and not now.position and "position" not in now.answered:
        return _ask(turn, "position")
    return _open(turn)


def _found(turn: Turn) -> Routine | None:
    now = turn.now
    return routines.find(turn.book.routines, now.muscle, both=now.side == "both", toes=now.toes)


def change(turn: Turn) -> Turn:
    """A cramp was named while one is coached: another muscle, side or position, or the same."""
    now, muscle = turn.now, turn.slot("muscle")
    if muscle and muscle != now.muscle:
        return begin(turn)
    changed = _fill(turn)
    if changed.now.side != now.side and "both" in (changed.now.side, now.side):
        return pursue(changed.hush())
    if changed.now.toes != now.toes:
        return pursue(changed.hush())
    if changed.now.position != now.position:
        return _reposition(changed)
    if changed.now.side != now.side:
        return resume(changed.hush())
    return encourage(turn)


def behind(turn: Turn) -> Turn:
    """Take "back" for a place where the thigh was asked for."""
    if turn.now.asked == "thigh":
        return pursue(turn.hush().know(muscle="hamstring"))
    return ask_again(turn.hush())


def _restart(turn: Turn, muscle: str) -> Turn:
    """Forget the last cramp, but not how the person lies or sits."""
    now = turn.now
    return turn.know(
        muscle=muscle, side="", toes="", asked="", answered=frozenset(), questions=(),
        round=0, ladder=0, gentle=False, one_more=False, worse=0, beat=1.0, counted=0,
        rests=0, checks=0, returns=now.returns if muscle == now.muscle else 0,
    )  # fmt: skip


def _fill(turn: Turn) -> Turn:
    now = turn.now
    return turn.know(
        muscle=turn.slot("muscle") or now.muscle,
        side=turn.slot("side") or now.side,
        toes=turn.slot("toes") or now.toes,
        position=_position(turn) or now.position,
    )


def _position(turn: Turn) -> str:
    if turn.slot("seat") == "chair":
        return "chair"
    return turn.slot("position")


def _ask(turn: Turn, what: str) -> Turn:
    asked = turn.go(State.ASKING, asked=what, answered=turn.now.answered | {what})
    return asked.say(f"ask.{what}", 1 if what in turn.now.answered else 0)


# The opening and the steps


def _open(turn: Turn) -> Turn:
    now = turn.now
    version = turn.routine.version(now.position or "standing")
    is_first = now.routines_begun == 0
    opened = turn.know(
        version=version.name, step=0, routines_begun=now.routines_begun + 1, gentle=now.pregnant
    )
    if turn.routine.opposite:  # a stitch has none, and its first step is its opening
        opened = _opening_lines(opened, is_first)
    if now.position and now.position not in version.serves:
        opened = opened.say("opening.nearest")
    long_timer = SetTimer("long", turn.habits.long_seconds)
    return _speak_step(opened.do(CancelTimer("checkin"), long_timer))


def _opening_lines(turn: Turn, is_first: bool) -> Turn:
    if turn.habits.terse:
        return turn.say("opening.relax")
    if turn.slot("sign") == "twitch":
        turn = turn.say("opening.twitch")
    if turn.now.state in COACHING:
        return turn.say("opening.switch")
    if turn.now.pregnant:
        turn = turn.say("opening.pregnant")
    elif turn.now.position in ("", "standing"):
        turn = turn.say("opening.stop")
    else:
        turn = turn.say("opening.bed" if turn.now.position == "bed" else "opening.rest")
    turn = turn.say("opening.relax")
    turn = turn.say("opening.opposite") if is_first and turn.now.newcomer else turn
    return turn.say("opening.flags") if is_first else turn


def _reposition(turn: Turn) -> Turn:
    version = turn.routine.version(turn.now.position)
    changed = turn.hush().know(version=version.name, step=0, counted=0)
    return _speak_step(changed.say("opening.version"))


def another_way(turn: Turn) -> Turn:
    """This one cannot be done: the next version of the routine."""
    other = turn.routine.other(turn.version)
    if other is None:
        return resume(interrupted(turn).say("cant_do.only"))
    moved = turn.hush().know(version=other.name, step=0, counted=0)
    return _speak_step(moved.say("opening.version"))


def _speak_step(turn: Turn) -> Turn:
    return turn.go(State.GUIDING).speak(turn.version.steps[turn.now.step])


def next_step(turn: Turn) -> Turn:
    """The step is done: on to the next, or to the hold after the last."""
    step = turn.now.step + 1
    if step >= len(turn.version.steps):
        return start_hold(turn.hush())
    return _speak_step(turn.hush().know(step=step))


def skip_step(turn: Turn) -> Turn:
    """This is known already: on to the next step, or right to the hold if that was asked for."""
    return start_hold(turn.hush()) if turn.slot("to") == "hold" else next_step(turn)


def last_step(turn: Turn) -> Turn:
    """Back from the hold or from what follows it to the step before."""
    last = len(turn.version.steps) - 1
    return _speak_step(turn.hush().know(step=last, counted=0, one_more=False))


def back_step(turn: Turn) -> Turn:
    """One step back."""
    if turn.now.step == 0:
        return _speak_step(turn.hush().say("back.first"))
    return _speak_step(turn.hush().know(step=turn.now.step - 1))


def repeat_step(turn: Turn) -> Turn:
    """The same step once more."""
    return _speak_step(turn.hush())


def explain_step(turn: Turn) -> Turn:
    """The same step, and the thought behind the exercise."""
    return _speak_step(_idea(turn.hush()))


def wait_step(turn: Turn) -> Turn:
    """Not ready yet: the step again, with more time."""
    return _speak_step(turn.hush().say("no.step")).rest(turn.habits.step_seconds)


def _idea(turn: Turn) -> Turn:
    return turn.say("opening.opposite") if turn.routine.opposite else turn


# The hold


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
    seconds = turn.hold_seconds
    if turn.now.state is not State.HOLDING or seconds is None:
        return turn.hush()
    return turn.hush().know(counted=counted(turn, seconds))


def counted(turn: Turn, seconds: float) -> int:
    """Return the counts done when the running hold is so many seconds old."""
    hold = turn.habits.hold_seconds
    done = turn.now.counted + int(seconds / turn.now.beat + 1e-9)
    return min(done, hold - 1)


def again_cue(turn: Turn) -> Turn:
    """Say in a few words what to do, and count on."""
    cut = interrupted(turn)
    return cut.speak(cut.version.again).count(cut.now.counted)


def explain_hold(turn: Turn) -> Turn:
    """Say the thought behind the exercise, and count on."""
    return go_on_holding(_idea(interrupted(turn)))


def one_more(turn: Turn) -> Turn:
    """Another round after this hold."""
    return turn.know(one_more=True).interject("hold.more")


def stay(turn: Turn) -> Turn:
    """Pain during the hold is expected: encourage in the gap."""
    return turn.interject("hold.stay")


def time_left(turn: Turn) -> Turn:
    """Answer between two counts how many are left."""
    if turn.hold_seconds is None:
        return turn.interject("hold.full")
    left = turn.habits.hold_seconds - counted(turn, turn.hold_seconds)
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


def held(turn: Turn) -> Turn:
    """The hold is over: let go slowly, then ask or rest."""
    turn = turn.know(counted=0).speak(turn.version.release)
    if turn.now.one_more:
        return _rest(turn.know(round=turn.now.round + 1))
    return check(turn)


def end_hold(turn: Turn) -> Turn:
    """Do not hold any longer."""
    return held(turn.hush())


def check(turn: Turn) -> Turn:
    """Ask whether it is gone, still there, or worse."""
    asked = turn.go(State.CHECKING, checks=turn.now.checks + 1)
    return asked.say("check.ask", 2 if turn.habits.terse else turn.now.checks)


# Between the rounds


def more(turn: Turn) -> Turn:
    """It still hurts: another round, another position, plan B, and then help."""
    turn = turn.hush().know(round=turn.now.round + 1)
    if turn.now.ladder >= PLAN_B:
        return warn(turn, "redflag_long_lasting")
    if turn.now.round < turn.habits.rounds:
        return _rest(turn)
    if turn.now.ladder == 0:
        return _other_position(turn.know(ladder=1, round=0))
    return _plan_b(turn.know(ladder=PLAN_B))


def again(turn: Turn) -> Turn:
    """Another round was asked for."""
    return _rest(turn.hush().know(round=turn.now.round + 1))


def _rest(turn: Turn) -> Turn:
    first = turn.now.rests == 0
    rested = turn.go(State.RESTING, rests=turn.now.rests + 1)
    rested = rested.say("rest.first" if first else "rest.next")
    if first and turn.now.position == "":
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
        return _rest(turn.know(gentle=True).say("ladder.same"))
    moved = turn.know(version=other.name, step=0, position=other.serves[0])
    return _speak_step(moved.say("ladder.position"))


def _plan_b(turn: Turn) -> Turn:
    turn = turn.go(State.RESTING).say("plan_b.opening").say("plan_b.stretch")
    turn = turn.say("plan_b.pregnant" if turn.now.pregnant else "plan_b.rub")
    return turn.rest(_PLAN_B_SECONDS)


def encourage(turn: Turn) -> Turn:
    """The same cramp named again, or "still hurts" at a step: say so and go on."""
    state = turn.now.state
    if state is State.HOLDING:
        return stay(turn)
    if state in (State.CHECKING, State.EASING):
        return more(turn)
    return resume(turn.hush().say("encourage"))


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
    found = routines.find(turn.book.routines, turn.slot("muscle"), both=False, toes="")
    if found is None or not turn.now.version:
        return False
    return found.muscle != turn.now.muscle and found.name not in turn.routine.opposite


def gentler(turn: Turn) -> Turn:
    """One more round, barely squeezing."""
    turn = turn.go(State.RESTING, gentle=True).say("worse.gentle")
    return turn.rest(turn.habits.rest_seconds)


# Gone, and back again


def ease(turn: Turn) -> Turn:
    """It is gone: walk, jog, ease in."""
    if not turn.now.version:  # nothing was coached yet
        return fine(turn)
    turn = interrupted(turn).go(State.EASING, place=State.IDLE, beat=1.0)
    now = turn.now
    if now.position == "bed":
        turn = turn.say("gone.bed")
    elif now.position in ("chair", "cant_stand") or now.pregnant or now.muscle == "hand":
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


def came_back(turn: Turn) -> Turn:
    """It came back: one short round; at the third time first aid."""
    was, returns = turn.now.muscle, turn.now.returns + 1
    turn = _fill(turn.hush())
    if not turn.now.version or turn.now.muscle != was:
        return pursue(_fill(_restart(turn, turn.now.muscle)).know(returns=returns))
    turn = turn.know(
        returns=returns, round=1, ladder=0, gentle=False, worse=0, answered=frozenset(),
        checks=1, counted=0,
    )  # fmt: skip
    turn = turn.say(_return_line(turn))
    return start_hold(turn.do(SetTimer("long", turn.habits.long_seconds)))


def _return_line(turn: Turn) -> str:
    if turn.now.returns < 3:
        return "return.first" if turn.now.returns == 1 else "return.second"
    return "return.third" if turn.now.position in ("", "standing") else "return.third_rest"


def _is_return(turn: Turn) -> bool:
    now = turn.now
    if now.eased_at is None or now.state in COACHING or turn.slot("muscle") != now.muscle:
        return False
    return turn.event.at - now.eased_at <= turn.habits.jumpy_seconds


def follow(turn: Turn) -> Turn:
    """Ask some minutes later how it is."""
    return turn.go(State.FOLLOWING).say("follow.ask")


def fine(turn: Turn) -> Turn:
    """It stayed away."""
    return turn.hush().go(State.IDLE).say("follow.fine")


# Going back to where an interruption came from


def resume(turn: Turn) -> Turn:
    """Go on where the conversation was: the same step, count or question."""
    state = turn.now.state if turn.now.state in _RESUME else turn.now.place
    return _RESUME.get(state, _listen)(turn.go(state))


def ask_again(turn: Turn, nth: int = 0) -> Turn:
    """Put the question that waits for an answer once more, in other words."""
    now = turn.now
    if now.state is State.ASKING:
        if not now.asked:  # a safety question came in between
            return pursue(turn)
        return turn.say(f"ask.{now.asked}", nth + 1)
    if now.state is State.TRIAGE:
        return turn.speak(turn.book.red_flags.questions[now.questions[0]].line)
    return turn.say(_AGAIN[now.state], nth)


def _keep_easing(turn: Turn) -> Turn:
    return turn.say("gone.listening")


def _listen(turn: Turn) -> Turn:
    return turn.go(State.IDLE).say("listening")


_AGAIN = {
    State.CHECKING: "check.again",
    State.FOLLOWING: "follow.ask",
    State.OFFERING: "okay.which",
    State.PAUSED: "pause.waiting",
}

_RESUME = {
    State.ASKING: ask_again,
    State.TRIAGE: ask_again,
    State.GUIDING: _speak_step,
    State.HOLDING: go_on_holding,
    State.CHECKING: ask_again,
    State.RESTING: rested,
    State.EASING: _keep_easing,
    State.FOLLOWING: ask_again,
    State.PAUSED: ask_again,
    State.OFFERING: ask_again,
}
