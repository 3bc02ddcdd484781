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
from assistant.dialogue.rules import barred, red_flags, steps
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
"""State to what people mostly say in it."""


_AUDIBLE = (Say, Chime, Count, Interject, Hush, Wait, SetVolume)
"""Actions that can be heard, and so answer an utterance."""
_QUEUED = (Say, Count, Wait)
"""Actions that take time to play."""
_ASIDES = frozenset(
    [
        "back",
        "encourage",
        "faster",
        "listening",
        "louder",
        "missed",
        "no",
        "nothing",
        "quieter",
        "slower",
        "stop",
        "undo",
    ]
)
"""Groups of prompts that can be left out; a tone says then that something was heard."""
_SILENCE_TIMERS = (Timer.STEP, Timer.ANSWER, Timer.WARN)
"""Timers that run only while nothing is being played."""


def listening(now: DialogueState) -> Listen:
    """Return what may be said now, in the context flags of the sentence files, and what is likely.

    Once a cramp was coached, "it's back" means something while idle too; and after "tell me where
    it cramps", so does a muscle alone.
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
    noted = _noted(Turn(now, event, pack, coaching))
    turn = barred.guarded(rule(noted), noted.now)
    turn = _listened(_invited(_timed(_acknowledged(_varied(turn)))))
    return turn.now, turn.actions


def _noted(turn: Turn) -> Turn:
    """Take in what every event of its kind changes."""
    if isinstance(turn.event, UtteranceHeard):
        return _kept(turn.know(misses=0, silences=0, is_waiting_quietly=False))
    if isinstance(turn.event, SpeechFinished):
        return _kept(turn).know(speaking=False)
    return turn


def _kept(turn: Turn) -> Turn:
    """Note which of the lines that nobody may miss have not been heard to their end."""
    queued = {line.key for line in turn.now.last_lines}
    cut = (line.key for line in turn.lines_left if steps.is_due_until_heard(turn, line.key))
    earlier = (key for key in turn.now.unsaid if key not in queued)
    return turn.know(unsaid=tuple(dict.fromkeys((*earlier, *cut))))


def _varied(turn: Turn) -> Turn:
    """Never say a sentence three times running: put a few words before it, or leave it out."""
    actions: list[Action] = []
    recent = turn.now.recent
    for action in turn.actions:
        if isinstance(action, Say | Interject):
            if recent == (action.text, action.text):
                if isinstance(action, Interject) or action.key.partition(".")[0] in _ASIDES:
                    continue
                once_more = turn.pack.prompts.line("again.once")
                actions.append(Say(once_more.key, once_more.text, action.pace))
                recent = (action.text, once_more.text)
            recent = (*recent, action.text)[-2:]
        actions.append(action)
    return replace(turn.know(recent=recent), actions=tuple(actions))


def _acknowledged(turn: Turn) -> Turn:
    """Play an earcon for what was understood and needs no words; while idle, do not."""
    if not isinstance(turn.event, UtteranceHeard) or turn.now.state is State.IDLE:
        return turn
    is_answered = any(isinstance(action, _AUDIBLE) for action in turn.actions)
    return turn if is_answered else turn.do(Chime("heard"))


def _timed(turn: Turn) -> Turn:
    """Keep rule 5 of the table: speech cancels the timers of silence, its end sets one again."""
    hushes = [n for n, action in enumerate(turn.actions) if isinstance(action, Hush)]
    still_queued = turn.actions[hushes[-1] + 1 :] if hushes else turn.actions
    if any(isinstance(action, _QUEUED) for action in still_queued):
        return _speaking(turn, still_queued)
    if hushes:
        turn = turn.know(speaking=False)
    may_be_silent = hushes or isinstance(turn.event, SpeechFinished | UtteranceHeard)
    if may_be_silent and not turn.now.speaking:
        return turn.do(*_state_timer(turn))
    return turn


def _speaking(turn: Turn, queued: tuple[Action, ...]) -> Turn:
    """Note the lines that will be heard, and cancel the timers of silence first of all."""
    lines = tuple(action for action in queued if isinstance(action, Say))
    turn = turn.know(speaking=True, last_lines=lines or turn.now.last_lines)
    cancelled = tuple(CancelTimer(timer) for timer in _SILENCE_TIMERS)
    return replace(turn, actions=cancelled + turn.actions)


def _state_timer(turn: Turn) -> tuple[Action, ...]:
    """Return the timer that runs while a state is silent."""
    now, options = turn.now, turn.coaching
    if now.is_waiting_quietly:
        return ()
    if now.state is State.GUIDING:
        return (SetTimer(Timer.STEP, round(options.step_seconds / now.pace, 3)),)
    if now.state in QUESTIONS:
        return (SetTimer(Timer.ANSWER, options.answer_seconds),)
    if now.state is State.WARNED:
        return (SetTimer(Timer.WARN, red_flags.repeat_seconds(now.warning_repeats)),)
    return ()


def _invited(turn: Turn) -> Turn:
    """Note whether Charley, idle, has just asked where it cramps; the next utterance ends that."""
    if turn.now.state is not State.IDLE:
        return turn.know(invited=False)
    if not isinstance(turn.event, Started | UtteranceHeard | UtteranceMissed):
        return turn
    return turn.know(invited=any(isinstance(action, Say) for action in turn.actions))


def _listened(turn: Turn) -> Turn:
    """Tell the recogniser if other things may be said from now on."""
    listens = listening(turn.now)
    if listens == turn.now.listening:
        return turn
    return turn.know(listening=listens).do(listens)
