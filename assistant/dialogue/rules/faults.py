"""The rules of a machine that fails: devices that come and go, sleep, and the program's end.

What was said while nobody could hear it is said again; a hold goes on from the count that it had
come to.
"""

from __future__ import annotations

from assistant.dialogue.events import DeviceFound, DeviceLost
from assistant.dialogue.rules.holding import go_on_holding, interrupted
from assistant.dialogue.rules.resume import resume
from assistant.dialogue.state import State
from assistant.dialogue.turn import Turn

_SILENT = (State.IDLE, State.PAUSED, State.WARNED)
"""Nothing is to be done or answered here, or it is said again anyway."""
_ENDINGS = {State.HOLDING: "leave.hold", State.WARNED: "stop.warned"}


def lost(turn: Turn) -> Turn:
    """Tell that the microphone is gone; of the others the screen tells, for they cannot speak."""
    if not _is_about(turn, "microphone"):
        return turn
    return turn.interject("device.deaf") if _is_holding(turn) else turn.say("device.lost")


def found(turn: Turn) -> Turn:
    """Tell that the microphone hears again; after the speaker's return say what was missed."""
    if _is_about(turn, "speaker"):
        return _go_on(turn, "device.sound")
    if not _is_about(turn, "microphone"):
        return turn
    return turn.interject("device.hears") if _is_holding(turn) else turn.say("device.found")


def suspended(turn: Turn) -> Turn:
    """Tell that time was lost, unless nothing ran that it could have been lost from."""
    return turn if turn.now.state is State.IDLE else _go_on(turn, "device.asleep")


def leave(turn: Turn) -> Turn:
    """Finish the word; who is in the midst of something must know that they are alone now."""
    state, turn = turn.now.state, turn.hush(after_word=True)
    return turn if state is State.IDLE else turn.say(_ENDINGS.get(state, "leave.done"))


def _is_about(turn: Turn, device: str) -> bool:
    return isinstance(turn.event, DeviceLost | DeviceFound) and turn.event.device == device


def _is_holding(turn: Turn) -> bool:
    return turn.now.state is State.HOLDING


def _go_on(turn: Turn, key: str) -> Turn:
    """Say what was, then once more what may not have been heard."""
    if _is_holding(turn):
        return _count_on(interrupted(turn).say(key))
    if turn.now.speaking:
        again = (line for line in turn.now.said if line.key != key)
        turn = turn.hush().say(key).do(*again)
        return turn.rest(turn.habits.rest_seconds) if turn.now.state is State.RESTING else turn
    turn = turn.say(key)
    return turn if turn.now.quiet or turn.now.state in _SILENT else resume(turn)


def _count_on(turn: Turn) -> Turn:
    """Count on, and say from where."""
    if turn.now.counted == 0:
        return go_on_holding(turn)
    following = turn.number(turn.now.counted + 1)
    return turn.say("device.count", count=following).count(turn.now.counted)
