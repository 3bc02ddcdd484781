"""One step of the conversation: look the event up in the table, and keep what its rules promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from assistant.content.language_pack import LanguagePack
from assistant.dialogue.actions import (
    Action,
    CancelTimer,
    Chime,
    Count,
    Hush,
    Interject,
    Listen,
    Say,
    SetTimer,
    SetVolume,
    Wait,
)
from assistant.dialogue.events import (
    Event,
    SpeechFinished,
    Started,
    TimerFired,
    UtteranceHeard,
    UtteranceMissed,
)
from assistant.dialogue.rules import red_flags
from assistant.dialogue.state import QUESTIONS, CoachingOptions, DialogueState, State
from assistant.dialogue.table import TRANSITIONS
from assistant.dialogue.turn import Turn
from assistant.errors import IllegalEvent

_STEERING = frozenset({"control_next", "control_back", "control_repeat", "control_skip", "yes"})
_FEELING = frozenset({"relief_gone", "still_hurts", "worse"})
_EXPECTED: Mapping[State, frozenset[str]] = {
    State.IDLE: frozenset({"cramp"}),
    State.ASKING: frozenset({"cramp"}),
    State.TRIAGE: frozenset({"yes", "no"}),
    State.GUIDING: _STEERING,
    State.HOLDING: frozenset({"ask_time_left", "control_stop", "control_pause", "still_hurts"}),
    State.CHECKING: _FEELING,
    State.RESTING: _STEERING,
    State.EASING: frozenset({"came_back", "control_stop"}),
    State.FOLLOWING: _FEELING | {"yes", "no", "im_okay"},
    State.PAUSED: frozenset({"control_resume", "yes"}),
    State.WARNED: frozenset({"im_okay", "yes", "no"}),
    State.OFFERING: frozenset({"control_resume", "control_stop", "yes", "no"}),
}
"""What people mostly say in a state."""


_ANSWERS = (Say, Chime, Count, Interject, Hush, Wait, SetVolume)
"""What can be heard."""


def listening(now: DialogueState) -> Listen:
    """Return what may be said now, in the context flags of the sentence files, and what is likely.

    Once a cramp was coached, "it's back" means something while idle, too; and after "tell me where
    it cramps" a muscle does.
    """
    flags = {"session", "recent"}
    if now.state is State.ASKING or now.invited:
        flags.add("asked")
    elif now.state is State.IDLE:
        flags = {"recent"} if now.eased_at is not None else set()
    return Listen(frozenset(flags), _EXPECTED[now.state])


def trigger(event: Event) -> str:
    """Return the column of the table that an event belongs to."""
    if isinstance(event, UtteranceHeard):
        return "redflag" if event.intent.startswith("redflag_") else event.intent
    if isinstance(event, TimerFired):
        return f"timer {event.name}"
    return type(event).__name__


def step(
    now: DialogueState, event: Event, pack: LanguagePack, coaching: CoachingOptions
) -> tuple[DialogueState, tuple[Action, ...]]:
    """Answer one event; the caller performs the actions in their order.

    Raises IllegalEvent, and changes nothing, if the table has no cell for it.
    """
    rule = TRANSITIONS[now.state].get(trigger(event))
    if rule is None:
        raise IllegalEvent(f"“{trigger(event)}” means nothing while {now.state.value}.")
    turn = rule(_noted(Turn(now, event, pack, coaching)))
    turn = _listened(_invited(_timed(_acknowledged(turn))))
    return turn.now, turn.actions


def _noted(turn: Turn) -> Turn:
    """Take in what every event of its kind changes."""
    if isinstance(turn.event, UtteranceHeard):
        return turn.know(misses=0, silences=0, is_waiting_quietly=False)
    if isinstance(turn.event, SpeechFinished):
        return turn.know(speaking=False)
    return turn


def _acknowledged(turn: Turn) -> Turn:
    """Let an earcon tell what was understood and needs no words; idle, few words are for us."""
    if not isinstance(turn.event, UtteranceHeard) or turn.now.state is State.IDLE:
        return turn
    is_answered = any(isinstance(action, _ANSWERS) for action in turn.actions)
    return turn if is_answered else turn.do(Chime("heard"))


def _timed(turn: Turn) -> Turn:
    """Keep rule 4: speech puts off the timer of the state, and its end sets it."""
    kinds = [type(action) for action in turn.actions]
    last_hush = max((n for n, kind in enumerate(kinds) if kind is Hush), default=-1)
    queued = any(kind in (Say, Count, Wait) for kind in kinds[last_hush + 1 :])
    hushed = last_hush >= 0
    if queued:
        said = tuple(a for a in turn.actions[last_hush + 1 :] if isinstance(a, Say))
        turn = turn.know(speaking=True, last_lines=said or turn.now.last_lines)
        put_off = tuple(CancelTimer(name) for name in ("step", "answer", "warn"))
        return replace(turn, actions=put_off + turn.actions)
    if hushed:
        turn = turn.know(speaking=False)
    was_moved = hushed or isinstance(turn.event, SpeechFinished | UtteranceHeard)
    if was_moved and not turn.now.speaking:
        return turn.do(*_state_timer(turn))
    return turn


def _state_timer(turn: Turn) -> tuple[Action, ...]:
    """Return the timer that runs while a state is silent."""
    now, coaching = turn.now, turn.coaching
    if now.is_waiting_quietly:
        return ()
    if now.state is State.GUIDING:
        return (SetTimer("step", round(coaching.step_seconds / now.pace, 3)),)
    if now.state in QUESTIONS:
        return (SetTimer("answer", coaching.answer_seconds),)
    if now.state is State.WARNED:
        return (SetTimer("warn", red_flags.repeat_seconds(now.warning_repeats)),)
    return ()


def _invited(turn: Turn) -> Turn:
    """Note whether Charley, idle, just asked to be told; the next utterance answers that or not."""
    if turn.now.state is not State.IDLE:
        return turn.know(invited=False)
    if not isinstance(turn.event, Started | UtteranceHeard | UtteranceMissed):
        return turn
    return turn.know(invited=any(isinstance(action, Say) for action in turn.actions))


def _listened(turn: Turn) -> Turn:
    """Tell the recogniser when something else may be said."""
    listens = listening(turn.now)
    if listens == turn.now.listening:
        return turn
    return turn.know(listening=listens).do(listens)
