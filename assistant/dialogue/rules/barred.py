"""Limbs that are not worked on again in this session: "I'm okay" does not heal a tear or a clot."""

from __future__ import annotations

from collections.abc import Mapping

from assistant.dialogue.actions import CancelTimer
from assistant.dialogue.state import COACHING, DialogueState, State
from assistant.dialogue.triggers import Intent, Timer
from assistant.dialogue.turn import Turn

_ARM = frozenset({"hand", "forearm_top"})
_TRUNK = frozenset({"abdominal", "stitch"})
_BODY = "body"

Keys = Mapping[str, str]
REFUSED: Keys = {
    "leg": "barred.leg",
    "arm": "barred.arm",
    "trunk": "barred.trunk",
    _BODY: "barred.body",
}
"""Kind of limb to what is said when somebody comes back to it."""
STILL_BARRED: Keys = {
    "leg": "okay.leg",
    "arm": "okay.arm",
    "trunk": "okay.trunk",
    _BODY: "okay.body",
}
"""Kind of limb to what is said when the person is okay, but the limb may not be."""


def bar(turn: Turn, flag: str) -> Turn:
    """Bar the limb that a red flag is about, or the whole body, if the flag stays."""
    stays = turn.pack.red_flags.flags[flag].stays
    if not stays:
        return turn
    if stays == _BODY:
        return turn.know(barred=turn.now.barred | {(_BODY, "")})
    named = turn.slot("muscle") or turn.now.muscle
    is_coached = named == turn.now.muscle
    side = turn.slot("side") or (turn.now.side if is_coached else "")
    return turn.know(barred=turn.now.barred | {(_limb(named), side)})


def is_barred(now: DialogueState) -> bool:
    """Return whether the cramp is in a barred limb, or may be: a side that is unknown may be it."""
    limb = _limb(now.muscle)
    unknown = ("", "both")
    return any(
        kind in (limb, _BODY) and (side in (*unknown, now.side) or now.side in unknown)
        for kind, side in now.barred
    )


def guarded(turn: Turn, before: DialogueState) -> Turn:
    """Refuse what a rule would do with a barred limb, by whatever way it came there."""
    if not turn.now.barred or not is_barred(turn.now):
        return turn
    starts = turn.intent == Intent.CRAMP and turn.now.state in (State.ASKING, State.TRIAGE)
    is_known = turn.now.muscle not in ("", "thigh") or turn.now.state in COACHING
    if not is_known or not (starts or turn.now.state in COACHING):
        return turn
    refused = Turn(before, turn.event, turn.pack, turn.coaching).know(muscle=turn.now.muscle)
    return leave(refused, REFUSED)


def leave(turn: Turn, keys: Keys) -> Turn:
    """End the coaching and say, with one of the keys, what is not worked on."""
    ended = turn.hush().go(
        State.IDLE, return_state=State.IDLE, safety_questions=(), requested_slot="", unsaid=()
    )
    ended = ended.do(CancelTimer(Timer.LONG), CancelTimer(Timer.CHECKIN))
    kinds = {kind for kind, _ in turn.now.barred}
    return ended.say(keys[_BODY if _BODY in kinds else _limb(turn.now.muscle)])


def _limb(muscle: str) -> str:
    if muscle in _ARM:
        return "arm"
    return "trunk" if muscle in _TRUNK else "leg"
