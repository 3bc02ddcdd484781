"""The rules of a machine that fails: devices lost and found, sleep, and the program's end.

What was said while nobody could hear it is said again; a hold goes on from the count that it had
come to.
"""

from __future__ import annotations

from assistant.dialogue.events import DeviceFound, DeviceLost
from assistant.dialogue.rules.holding import interrupt, resume_hold
from assistant.dialogue.rules.resume import resume_if_active
from assistant.dialogue.state import State
from assistant.dialogue.turn import Turn

_LAST_LINES = {State.HOLDING: "leave.hold", State.WARNED: "stop.warned"}
"""State to what is said when the program ends in it; elsewhere "leave.done"."""


def device_lost(turn: Turn) -> Turn:
    """Say that the microphone is gone; without speaker or voice only the screen can say so."""
    if not _is_about(turn, "microphone"):
        return turn
    return turn.interject("device.deaf") if _is_holding(turn) else turn.say("device.lost")


def device_found(turn: Turn) -> Turn:
    """Say that the microphone works again; once the speaker does, say what was not heard."""
    if _is_about(turn, "speaker"):
        return _recover(turn, "device.sound")
    if not _is_about(turn, "microphone"):
        return turn
    return turn.interject("device.hears") if _is_holding(turn) else turn.say("device.found")


def suspended(turn: Turn) -> Turn:
    """Say that time was lost, unless nothing was running."""
    return turn if turn.now.state is State.IDLE else _recover(turn, "device.asleep")


def leave(turn: Turn) -> Turn:
    """Finish the word; tell anyone in the middle of something that they are alone now."""
    state, turn = turn.now.state, turn.hush(after_word=True)
    return turn if state is State.IDLE else turn.say(_LAST_LINES.get(state, "leave.done"))


def _is_about(turn: Turn, device: str) -> bool:
    return isinstance(turn.event, DeviceLost | DeviceFound) and turn.event.device == device


def _is_holding(turn: Turn) -> bool:
    return turn.now.state is State.HOLDING


def _recover(turn: Turn, key: str) -> Turn:
    """Say what happened, then again what may not have been heard."""
    if _is_holding(turn):
        return _count_on(interrupt(turn).say(key))
    if turn.now.speaking:
        again = (line for line in turn.now.last_lines if line.key != key)
        turn = turn.hush().say(key).do(*again)
        return turn.rest(turn.options.rest_seconds) if turn.now.state is State.RESTING else turn
    turn = turn.say(key)
    return turn if turn.now.is_waiting_quietly else resume_if_active(turn)


def _count_on(turn: Turn) -> Turn:
    """Count on, and say from which number."""
    if turn.now.counts_done == 0:
        return resume_hold(turn)
    following = turn.number(turn.now.counts_done + 1)
    return turn.say("device.count", count=following).count(turn.now.counts_done)
