"""The rules for controls, which hold in almost every state: pause, repeat, slower, louder, stop."""

from __future__ import annotations

from assistant.dialogue.actions import CancelTimer, Chime, Remember, SetVolume
from assistant.dialogue.events import Started, UtteranceHeard
from assistant.dialogue.rules.holding import interrupt
from assistant.dialogue.rules.resume import ask_again, resume_if_active
from assistant.dialogue.state import QUESTIONS, State
from assistant.dialogue.triggers import Timer
from assistant.dialogue.turn import Turn

_SLOWEST, _FASTEST = 0.6, 1.5
"""Slowest and fastest speech, relative to the setting; beyond it espeak is hard to follow."""
_SLOWER, _FASTER = 0.85, 1.2
"""Factors of the pace."""
_SOFTEST, _LOUDEST, _VOLUME_STEP = 0.2, 1.0, 0.2


def nothing(turn: Turn) -> Turn:
    """Change nothing: a dead cell, written out."""
    return turn


def welcome(turn: Turn) -> Turn:
    """Greet; in the first session ever, say that Charley is not a doctor."""
    is_first = isinstance(turn.event, Started) and turn.event.first_time
    if not is_first:
        return turn.say("welcome.again")
    turn = turn.know(newcomer=True)
    return turn.say("welcome.first").say("about.safety").do(Remember("safety_told", "yes"))


def called(turn: Turn) -> Turn:
    """Answer to the name: repeat a question that waits, else say that somebody is listening."""
    if turn.now.state in QUESTIONS:
        return ask_again(turn.hush())
    return turn if turn.now.speaking else turn.say("listening")


def helper_here(turn: Turn) -> Turn:
    """Tell a helper who has come not to push."""
    return resume_if_active(interrupt(turn).say("helper.gentle").say("helper.hand"))


# --- Stop, pause and repeat ----------------------------------------------------------------------


def stop(turn: Turn) -> Turn:
    """Be silent at once and end the routine."""
    stopped = turn.hush().go(
        State.IDLE, return_state=State.IDLE, eased_at=turn.event.at, safety_questions=()
    )
    return stopped.do(CancelTimer(Timer.LONG), CancelTimer(Timer.CHECKIN)).say("stop.done")


def stop_idle(turn: Turn) -> Turn:
    """Be silent at once and drop the check-in; no routine is running."""
    return turn.hush().do(CancelTimer(Timer.CHECKIN), Chime("quiet"))


def nothing_running(turn: Turn) -> Turn:
    """Say that there is no routine to control."""
    return turn.hush().say("nothing.running")


def pause(turn: Turn) -> Turn:
    """Wait until the user carries on; a running hold keeps its count."""
    left = turn.now.state
    return interrupt(turn).go(State.PAUSED, return_state=left).say("pause.done")


def take_your_time(turn: Turn) -> Turn:
    """Wait for the answer to a safety question, without leaving the question."""
    return turn.hush().know(is_waiting_quietly=True).say("pause.done")


def still_paused(turn: Turn) -> Turn:
    """Say that Charley is paused already."""
    return turn.hush().say("pause.waiting")


def repeat(turn: Turn) -> Turn:
    """Say the last lines again: from the one that was cut short, or all of them."""
    lines = turn.now.last_lines
    if isinstance(turn.event, UtteranceHeard) and turn.now.speaking and turn.event.lines_left:
        lines = lines[-turn.event.lines_left :]
    repeated = turn.hush().do(*lines)
    if not lines:
        repeated = repeated.say("listening")
    is_resting = turn.now.state is State.RESTING
    return repeated.rest(turn.options.rest_seconds) if is_resting else repeated


# --- Pace and volume -----------------------------------------------------------------------------


def slower(turn: Turn) -> Turn:
    """Speak slower, with longer gaps, from now on."""
    return _at_pace(turn, max(_SLOWEST, turn.now.pace * _SLOWER), "slower.done")


def faster(turn: Turn) -> Turn:
    """Speak faster, with shorter gaps, from now on."""
    return _at_pace(turn, min(_FASTEST, turn.now.pace * _FASTER), "faster.done")


def _at_pace(turn: Turn, pace: float, key: str) -> Turn:
    return resume_if_active(turn.hush().know(pace=round(pace, 3)).say(key))


def louder(turn: Turn) -> Turn:
    """Play louder from now on."""
    return _at_volume(turn, min(_LOUDEST, turn.now.volume + _VOLUME_STEP), "louder.done")


def quieter(turn: Turn) -> Turn:
    """Play quieter from now on, but never silent."""
    return _at_volume(turn, max(_SOFTEST, turn.now.volume - _VOLUME_STEP), "quieter.done")


def _at_volume(turn: Turn, volume: float, key: str) -> Turn:
    volume = round(volume, 2)
    turn = turn.know(volume=volume).do(SetVolume(volume))
    # A running count is its own proof that the volume changed.
    return turn if turn.now.state is State.HOLDING else turn.say(key)
