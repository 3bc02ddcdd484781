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
    UtteranceHeard,
    UtteranceMissed,
)
from assistant.dialogue.rules import red_flags
from assistant.dialogue.state import QUESTIONS, CoachingOptions, DialogueState, State
from assistant.dialogue.table import TRANSITIONS
from assistant.dialogue.triggers import Intent, Timer, trigger_of
from assistant.dialogue.turn import Turn

_STEERING = frozenset(
    {
        Intent.CONTROL_NEXT,
        Intent.CONTROL_BACK,
        Intent.CONTROL_REPEAT,
        Intent.CONTROL_SKIP,
        Intent.YES,
    }
)
_FEELING = frozenset({Intent.RELIEF_GONE, Intent.STILL_HURTS, Intent.WORSE})
_EXPECTED: Mapping[State, frozenset[Intent]] = {
    State.IDLE: frozenset({Intent.CRAMP}),
    State.ASKING: frozenset({Intent.CRAMP}),
    State.TRIAGE: frozenset({Intent.YES, Intent.NO}),
    State.GUIDING: _STEERING,
    State.HOLDING: frozenset(
        {Intent.ASK_TIME_LEFT, Intent.CONTROL_STOP, Intent.CONTROL_PAUSE, Intent.STILL_HURTS}
    ),
    State.CHECKING: _FEELING,
    State.RESTING: _STEERING,
    State.EASING: frozenset({Intent.CAME_BACK, Intent.CONTROL_STOP}),
    State.FOLLOWING: _FEELING | {Intent.YES, Intent.NO, Intent.IM_OKAY},
    State.PAUSED: frozenset({Intent.CONTROL_RESUME, Intent.YES}),
    State.WARNED: frozenset({Intent.IM_OKAY, Intent.YES, Intent.NO}),
    State.OFFERING: frozenset({Intent.CONTROL_RESUME, Intent.CONTROL_STOP, Intent.YES, Intent.NO}),
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


def step(
    now: DialogueState, event: Event, pack: LanguagePack, coaching: CoachingOptions
) -> tuple[DialogueState, tuple[Action, ...]]:
    """Answer one event; the caller performs the actions in their order.

    Raises IllegalEvent, and changes nothing, for an intent or a timer that the table does not know.
    """
    rule = TRANSITIONS[now.state][trigger_of(event)]
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
        put_off = tuple(CancelTimer(name) for name in (Timer.STEP, Timer.ANSWER, Timer.WARN))
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
        return (SetTimer(Timer.STEP, round(coaching.step_seconds / now.pace, 3)),)
    if now.state in QUESTIONS:
        return (SetTimer(Timer.ANSWER, coaching.answer_seconds),)
    if now.state is State.WARNED:
        return (SetTimer(Timer.WARN, red_flags.repeat_seconds(now.warning_repeats)),)
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
