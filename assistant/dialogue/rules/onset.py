"""The rules of the onset: a cramp is named or comes back, what is missing is asked, it opens."""

from __future__ import annotations

from assistant.content import routines
from assistant.content.routines import Routine, Version
from assistant.dialogue.actions import CancelTimer, SetTimer, SetVolume
from assistant.dialogue.rules.holding import start_hold
from assistant.dialogue.rules.steps import speak_step
from assistant.dialogue.rules.triage import ask_safety
from assistant.dialogue.state import COACHING, State
from assistant.dialogue.triggers import Timer
from assistant.dialogue.turn import Turn

_NIGHT_VOLUME, _NIGHT_PACE = 0.6, 0.9
"""A low voice and a slow pace (domain text 2.13)."""

# --- A cramp is named ----------------------------------------------------------------------------


def begin(turn: Turn) -> Turn:
    """Start from the slots of a named cramp, or go on if it is the last one come back."""
    if _is_return(turn):
        return came_back(turn)
    return ask_or_open(note_slots(_forget_last(turn.hush(), turn.slot("muscle"))))


def begin_stitch(turn: Turn) -> Turn:
    """Start the routine for a stitch."""
    return ask_or_open(note_slots(_forget_last(turn.hush(), "stitch")))


def fill_in(turn: Turn) -> Turn:
    """Take the answer to "where is it?" or "standing or sitting?"."""
    return ask_or_open(note_slots(turn.hush()))


def assume(turn: Turn) -> Turn:
    """Take the commonest answer to a question that was passed over (domain text, part 5)."""
    turn = turn.hush()
    if turn.now.requested_slot == "position":
        return ask_or_open(turn.know(position="sitting"))
    is_thigh = turn.now.requested_slot == "thigh"
    return ask_or_open(turn.know(muscle="quad" if is_thigh else "calf"))


def note_slots(turn: Turn) -> Turn:
    """Take muscle, side, toes and position from what was said."""
    now = turn.now
    position = "chair" if turn.slot("seat") == "chair" else turn.slot("position")
    return turn.know(
        muscle=turn.slot("muscle") or now.muscle,
        side=turn.slot("side") or now.side,
        toes=turn.slot("toes") or now.toes,
        position=position or now.position,
    )


def _forget_last(turn: Turn, muscle: str) -> Turn:
    """Forget the last cramp, but not how the person lies or sits."""
    now = turn.now
    return turn.know(
        muscle=muscle, side="", toes="", requested_slot="", already_asked=frozenset(),
        safety_questions=(), round=0, ladder=0, gentle=False, one_more=False, times_worse=0,
        beat=1.0, counts_done=0, rests=0, checks=0,
        returns=now.returns if muscle == now.muscle else 0,
    )  # fmt: skip


# --- What is missing is asked --------------------------------------------------------------------


def ask_or_open(turn: Turn) -> Turn:
    """Ask for what is still missing, safety first, or open the routine."""
    found = _routine(turn)
    triage = ask_safety(turn, turn.slot("triage"), *(found.triage if found else ()))
    if triage is not turn:
        return triage.know(return_state=State.ASKING, requested_slot="")
    if turn.now.muscle in ("", "thigh"):
        return _ask(turn, turn.now.muscle or "muscle")
    if found is None:
        # A language may have routines for some muscles only: say so, and ask for one of those.
        unknown = turn.know(muscle="", side="", toes="")
        return _ask(unknown, "only").know(requested_slot="muscle")
    turn = turn.know(routine=found.id)
    return _ask(turn, "position") if _needs_position(turn) else _open(turn)


def _routine(turn: Turn) -> Routine | None:
    now = turn.now
    return routines.find(turn.pack.routines, now.muscle, both=now.side == "both", toes=now.toes)


def _needs_position(turn: Turn) -> bool:
    """Return whether standing would be dangerous and nobody has said how the person sits."""
    now, matters = turn.now, turn.routine.both and turn.routine.on_foot
    return matters and not now.position and "position" not in now.already_asked


def _ask(turn: Turn, what: str) -> Turn:
    nth = 1 if what in turn.now.already_asked else 0
    asked = turn.now.already_asked | {what}
    return turn.go(State.ASKING, requested_slot=what, already_asked=asked).say(f"ask.{what}", nth)


# --- The routine opens ---------------------------------------------------------------------------


def _open(turn: Turn) -> Turn:
    """Say the opening lines, then the first step."""
    now = turn.now
    version = turn.routine.version(now.position or ("sitting" if now.pregnant else "standing"))
    is_first = now.routines_begun == 0
    opened = turn.know(
        version=version.name, step=0, routines_begun=now.routines_begun + 1, gentle=now.pregnant
    )
    opened = _say_nearest(_say_opening(_for_the_night(opened), is_first), version)
    long_timer = SetTimer(Timer.LONG, turn.options.long_seconds)
    return speak_step(opened.do(CancelTimer(Timer.CHECKIN), long_timer))


def _for_the_night(turn: Turn) -> Turn:
    """In bed, speak low and slowly; a lower setting stays."""
    if turn.now.position != "bed" or turn.now.state in COACHING:
        return turn
    volume = min(turn.now.volume, _NIGHT_VOLUME)
    pace = min(turn.now.pace, _NIGHT_PACE)
    return turn.know(volume=volume, pace=pace).do(SetVolume(volume))


def _say_opening(turn: Turn, is_first: bool) -> Turn:
    """Say the opening; `is_first` for the first routine of the session."""
    if not turn.routine.opposite:  # a stitch: its first step is its opening
        return turn
    if turn.options.terse:
        return turn.say("opening.relax")
    if turn.slot("sign") == "twitch":
        turn = turn.say("opening.twitch")
    if turn.now.state in COACHING:
        return turn.say("opening.switch")
    turn = turn.say(_opening_line(turn)).say("opening.relax")
    turn = turn.say("opening.opposite") if is_first and turn.now.newcomer else turn
    return turn.say("opening.flags") if is_first else turn


def _opening_line(turn: Turn) -> str:
    if turn.now.pregnant:
        return "opening.pregnant"
    if turn.is_on_foot:
        return "opening.stop"
    return "opening.bed" if turn.now.position == "bed" else "opening.rest"


def _say_nearest(turn: Turn, version: Version) -> Turn:
    """Say so if the routine has no version for the position that was named."""
    has_own = not turn.now.position or turn.now.position in version.serves
    return turn if has_own else turn.say("opening.nearest")


# --- The cramp comes back ------------------------------------------------------------------------


def came_back(turn: Turn) -> Turn:
    """Do one short round; at the third time say how to get help."""
    muscle, returns = turn.now.muscle, turn.now.returns + 1
    turn = note_slots(turn.hush())
    if not turn.now.version or turn.now.muscle != muscle:
        return ask_or_open(note_slots(_forget_last(turn, turn.now.muscle)).know(returns=returns))
    turn = turn.know(
        returns=returns, round=1, ladder=0, gentle=False, times_worse=0,
        already_asked=frozenset(), checks=1, counts_done=0,
    )  # fmt: skip
    turn = turn.say(_return_line(turn))
    return start_hold(turn.do(SetTimer(Timer.LONG, turn.options.long_seconds)))


def _return_line(turn: Turn) -> str:
    if turn.now.returns == 2:
        return "return.second"
    if turn.now.returns == 1:
        return "return.first" if turn.is_on_foot else "return.first_rest"
    return "return.third" if turn.is_on_foot else "return.third_rest"


def _is_return(turn: Turn) -> bool:
    """Return whether the cramp that was named is the last one, soon after it ended."""
    now = turn.now
    if now.eased_at is None or now.state in COACHING or turn.slot("muscle") != now.muscle:
        return False
    return turn.event.at - now.eased_at <= turn.options.jumpy_seconds
