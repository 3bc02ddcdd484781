"""The rules of a beginning: a cramp is named or returns, what is unknown is asked, it opens."""

from __future__ import annotations

from assistant.content import routines
from assistant.content.routines import Routine
from assistant.dialogue.actions import CancelTimer, SetTimer, SetVolume
from assistant.dialogue.rules.holding import start_hold
from assistant.dialogue.rules.steps import speak_step
from assistant.dialogue.rules.triage import ask
from assistant.dialogue.state import COACHING, State
from assistant.dialogue.turn import Turn

_NIGHT_VOLUME, _NIGHT_PACE = 0.6, 0.9
"""Domain text 2.13: a low voice and a slow pace."""


def begin(turn: Turn) -> Turn:
    """A cramp was named: start from its slots, or go on if it is the last one come back."""
    if _is_return(turn):
        return came_back(turn)
    return pursue(take_in(_restart(turn.hush(), turn.slot("muscle"))))


def begin_stitch(turn: Turn) -> Turn:
    """A stitch was named: it has a routine of its own."""
    return pursue(take_in(_restart(turn.hush(), "stitch")))


def fill_in(turn: Turn) -> Turn:
    """The answer to "where is it?" or "standing or sitting?"."""
    return pursue(take_in(turn.hush()))


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
        # A language may have routines for some muscles only: say so, and ask for one of those.
        return _ask(turn.know(muscle="", side="", toes=""), "only").know(asked="muscle")
    turn = turn.know(routine=found.id)
    standing_matters = found.both and found.on_foot
    if standing_matters and not now.position and "position" not in now.answered:
        return _ask(turn, "position")
    return _open(turn)


def _found(turn: Turn) -> Routine | None:
    now = turn.now
    return routines.find(turn.pack.routines, now.muscle, both=now.side == "both", toes=now.toes)


def _restart(turn: Turn, muscle: str) -> Turn:
    """Forget the last cramp, but not how the person lies or sits."""
    now = turn.now
    return turn.know(
        muscle=muscle, side="", toes="", asked="", answered=frozenset(), questions=(),
        round=0, ladder=0, gentle=False, one_more=False, worse=0, beat=1.0, counted=0,
        rests=0, checks=0, returns=now.returns if muscle == now.muscle else 0,
    )  # fmt: skip


def take_in(turn: Turn) -> Turn:
    """Take muscle, side, toes and position from what was said."""
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


def _open(turn: Turn) -> Turn:
    now = turn.now
    version = turn.routine.version(now.position or ("sitting" if now.pregnant else "standing"))
    is_first = now.routines_begun == 0
    opened = turn.know(
        version=version.name, step=0, routines_begun=now.routines_begun + 1, gentle=now.pregnant
    )
    opened = _for_the_night(opened)
    if turn.routine.opposite:  # a stitch has none, and its first step is its opening
        opened = _opening_lines(opened, is_first)
    if now.position and now.position not in version.serves:
        opened = opened.say("opening.nearest")
    long_timer = SetTimer("long", turn.habits.long_seconds)
    return speak_step(opened.do(CancelTimer("checkin"), long_timer))


def _for_the_night(turn: Turn) -> Turn:
    """In bed, speak low and slowly; what the user has set lower still stays."""
    if turn.now.position != "bed" or turn.now.state in COACHING:
        return turn
    volume = min(turn.now.volume, _NIGHT_VOLUME)
    pace = min(turn.now.pace, _NIGHT_PACE)
    return turn.know(volume=volume, pace=pace).do(SetVolume(volume))


def _opening_lines(turn: Turn, is_first: bool) -> Turn:
    if turn.habits.terse:
        return turn.say("opening.relax")
    if turn.slot("sign") == "twitch":
        turn = turn.say("opening.twitch")
    if turn.now.state in COACHING:
        return turn.say("opening.switch")
    if turn.now.pregnant:
        turn = turn.say("opening.pregnant")
    elif _is_on_foot(turn):
        turn = turn.say("opening.stop")
    else:
        turn = turn.say("opening.bed" if turn.now.position == "bed" else "opening.rest")
    turn = turn.say("opening.relax")
    turn = turn.say("opening.opposite") if is_first and turn.now.newcomer else turn
    return turn.say("opening.flags") if is_first else turn


def came_back(turn: Turn) -> Turn:
    """It came back: one short round; at the third time first aid."""
    was, returns = turn.now.muscle, turn.now.returns + 1
    turn = take_in(turn.hush())
    if not turn.now.version or turn.now.muscle != was:
        return pursue(take_in(_restart(turn, turn.now.muscle)).know(returns=returns))
    turn = turn.know(
        returns=returns, round=1, ladder=0, gentle=False, worse=0, answered=frozenset(),
        checks=1, counted=0,
    )  # fmt: skip
    turn = turn.say(_return_line(turn))
    return start_hold(turn.do(SetTimer("long", turn.habits.long_seconds)))


def _return_line(turn: Turn) -> str:
    if turn.now.returns == 2:
        return "return.second"
    if turn.now.returns == 1:
        return "return.first" if _is_on_foot(turn) else "return.first_rest"
    return "return.third" if _is_on_foot(turn) else "return.third_rest"


def _is_on_foot(turn: Turn) -> bool:
    return turn.now.position in ("", "standing") and turn.pack.is_on_foot(turn.now.muscle)


def _is_return(turn: Turn) -> bool:
    now = turn.now
    if now.eased_at is None or now.state in COACHING or turn.slot("muscle") != now.muscle:
        return False
    return turn.event.at - now.eased_at <= turn.habits.jumpy_seconds
