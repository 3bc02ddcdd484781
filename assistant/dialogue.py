"""The conversation as one table: where we are, what happened, what to do.

Rule 1: every transition is a cell of TRANSITIONS; an event without a cell is an error.
Rule 2: a rule never looks at a clock, a device or a file; it gets a Turn and returns a Turn.
Rule 3: a red flag beats everything, in every state.
Rule 4: whenever the sound ends, either a timer runs or Charley has said that it waits.
Dead cells are written out as `nothing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from assistant import controls, guidance, habits, safety
from assistant.actions import Action, CancelTimer, Count, Hush, Listen, Say, SetTimer, Wait
from assistant.book import Book
from assistant.controls import nothing
from assistant.errors import IllegalEvent
from assistant.events import Event, SpeechFinished, TimerFired, UtteranceHeard
from assistant.turn import QUESTIONS, Coaching, Dialogue, State, Turn
from assistant.warning import warn

Rule = Callable[[Turn], Turn]

TIMERS = ("step", "answer", "warn", "checkin", "long")
"""Every timer that is ever set."""


def too_long(turn: Turn) -> Turn:
    """Ten minutes of cramp: get it seen to. Not if nobody has answered: they may have run on."""
    return turn if turn.now.quiet else warn(turn, "redflag_long_lasting")


_ALWAYS: dict[str, Rule] = {
    "Started": nothing,
    "SpeechFinished": nothing,
    "HoldFinished": nothing,
    "DeviceLost": controls.device_lost,
    "DeviceFound": controls.device_found,
    "UtteranceMissed": controls.missed,
    "timer step": nothing,
    "timer answer": nothing,
    "timer warn": nothing,
    "timer checkin": nothing,
    "timer long": too_long,
    "redflag": safety.red_flag,
    "help": safety.help_wanted,
    "helper_here": controls.helper,
    "call": controls.here,
    "control_stop": controls.end,
    "control_pause": controls.pause,
    "control_slower": controls.slower,
    "control_faster": controls.faster,
    "control_louder": controls.louder,
    "control_quieter": controls.quieter,
    "control_repeat": controls.repeat,
    "ask_why": controls.answer,
    "ask_prevent": controls.answer,
    "ask_why_not_stretch": controls.answer,
    "ask_about": controls.answer,
    "more": controls.more,
    "change": habits.change,
    "undo": habits.undo,
    "cant_do": controls.repeat,
    "ask_what_do_i_do": controls.repeat,
    "ask_time_left": controls.round_left,
    "cramp": guidance.change,
    "stitch": guidance.begin_stitch,
    "relief_gone": guidance.ease,
    "still_hurts": guidance.encourage,
    "worse": guidance.worse,
    "came_back": guidance.encourage,
}
"""What holds in every state that does not say otherwise."""

_ASKED: dict[str, Rule] = {
    **_ALWAYS,
    "timer answer": controls.silence,
    "yes": controls.ask_anew,
    "no": controls.ask_anew,
    "im_okay": controls.ask_anew,
    "cant_do": controls.ask_anew,
    "ask_what_do_i_do": controls.ask_anew,
    "ask_time_left": controls.ask_anew,
    "control_next": controls.ask_anew,
    "control_back": controls.ask_anew,
    "control_again": controls.ask_anew,
    "control_skip": controls.ask_anew,
    "control_resume": controls.ask_anew,
    "control_repeat": controls.ask_anew,
}
"""What holds after a question."""

TRANSITIONS: Mapping[State, Mapping[str, Rule]] = {
    State.IDLE: {
        **_ALWAYS,
        "Started": controls.welcome,
        "UtteranceMissed": controls.missed_idle,
        "timer checkin": guidance.follow,
        "timer long": nothing,
        "control_stop": controls.stop_idle,
        "control_pause": nothing,
        "control_next": controls.nothing_running,
        "control_back": controls.nothing_running,
        "control_again": guidance.came_back,
        "control_skip": controls.nothing_running,
        "control_resume": controls.nothing_running,
        "ask_what_do_i_do": controls.say_how_to_start,
        "ask_time_left": controls.nothing_left,
        "cramp": guidance.begin,
        "stitch": guidance.begin_stitch,
        "still_hurts": guidance.came_back,
        "worse": guidance.came_back,
        "came_back": guidance.came_back,
        "relief_gone": guidance.fine,
        "im_okay": guidance.fine,
        "yes": nothing,
        "no": nothing,
    },
    State.ASKING: {
        **_ASKED,
        "cramp": guidance.fill_in,
        "yes": guidance.assume,
        "control_next": guidance.assume,
        "control_skip": guidance.assume,
        "control_back": guidance.behind,
        "still_hurts": controls.ask_anew,
        "worse": controls.ask_anew,
        "came_back": guidance.fill_in,
    },
    State.TRIAGE: {
        **_ASKED,
        "control_pause": controls.take_your_time,
        "cramp": controls.ask_anew,
        "stitch": controls.ask_anew,
        "yes": safety.triage_yes,
        "no": safety.triage_no,
        "im_okay": safety.triage_no,
        "still_hurts": controls.ask_anew,
        "worse": controls.ask_anew,
        "came_back": controls.ask_anew,
    },
    State.GUIDING: {
        **_ALWAYS,
        "cant_do": guidance.another_way,
        "timer step": guidance.next_step,
        "yes": guidance.next_step,
        "no": guidance.wait_step,
        "im_okay": guidance.next_step,
        "control_next": guidance.next_step,
        "control_skip": guidance.skip_step,
        "control_resume": guidance.next_step,
        "control_back": guidance.back_step,
        "control_again": guidance.repeat_step,
        "control_repeat": guidance.repeat_step,
        "ask_what_do_i_do": guidance.explain_step,
        "ask_time_left": controls.steps_left,
    },
    State.HOLDING: {
        **_ALWAYS,
        "cant_do": guidance.another_way,
        "HoldFinished": guidance.held,
        "DeviceLost": nothing,
        "DeviceFound": nothing,
        "UtteranceMissed": nothing,
        "yes": nothing,
        "no": guidance.stay,
        "im_okay": nothing,
        "still_hurts": guidance.stay,
        "came_back": guidance.stay,
        "control_next": guidance.end_hold,
        "control_skip": guidance.end_hold,
        "control_resume": nothing,
        "control_back": guidance.last_step,
        "control_again": guidance.one_more,
        "control_repeat": guidance.again_cue,
        "control_slower": guidance.slower_hold,
        "control_faster": guidance.faster_hold,
        "ask_what_do_i_do": guidance.explain_hold,
        "ask_time_left": guidance.time_left,
    },
    State.CHECKING: {
        **_ASKED,
        "cant_do": guidance.another_way,
        "yes": controls.is_it_gone,
        "no": guidance.more,
        "im_okay": controls.is_it_gone,
        "still_hurts": guidance.more,
        "came_back": guidance.more,
        "control_next": guidance.again,
        "control_skip": guidance.again,
        "control_again": guidance.again,
        "control_resume": guidance.again,
        "control_back": guidance.last_step,
        "ask_time_left": controls.round_left,
    },
    State.RESTING: {
        **_ALWAYS,
        "cant_do": guidance.another_way,
        "SpeechFinished": guidance.rested,
        "UtteranceMissed": nothing,
        "yes": guidance.start_round,
        "no": nothing,
        "im_okay": guidance.start_round,
        "control_next": guidance.start_round,
        "control_skip": guidance.start_round,
        "control_again": guidance.start_round,
        "control_resume": guidance.start_round,
        "control_back": guidance.last_step,
        "ask_time_left": controls.rest_left,
    },
    State.EASING: {
        **_ALWAYS,
        "SpeechFinished": guidance.eased,
        "UtteranceMissed": nothing,
        "timer long": nothing,
        "yes": nothing,
        "no": guidance.again,
        "im_okay": nothing,
        "relief_gone": nothing,
        "came_back": guidance.came_back,
        "control_next": nothing,
        "control_skip": nothing,
        "control_again": guidance.again,
        "control_resume": nothing,
        "control_back": guidance.last_step,
    },
    State.FOLLOWING: {
        **_ASKED,
        "timer answer": controls.silence_following,
        "timer long": nothing,
        "cramp": guidance.begin,
        "yes": guidance.fine,
        "no": guidance.came_back,
        "im_okay": guidance.fine,
        "relief_gone": guidance.fine,
        "still_hurts": guidance.came_back,
        "worse": guidance.came_back,
        "came_back": guidance.came_back,
        "control_again": guidance.came_back,
    },
    State.PAUSED: {
        **_ALWAYS,
        "timer answer": controls.silence_paused,
        "timer long": nothing,
        "yes": safety.carry_on,
        "no": controls.still_paused,
        "im_okay": safety.carry_on,
        "still_hurts": controls.still_paused,
        "came_back": controls.still_paused,
        "control_pause": controls.still_paused,
        "control_next": safety.carry_on,
        "control_skip": safety.carry_on,
        "control_again": safety.carry_on,
        "control_resume": safety.carry_on,
        "control_back": safety.carry_on,
        "control_repeat": controls.still_paused,
        "cant_do": controls.still_paused,
        "ask_what_do_i_do": controls.still_paused,
        "ask_time_left": controls.still_paused,
    },
    State.WARNED: {
        **{name: safety.first_okay for name in _ALWAYS if name[0].islower()},
        "Started": nothing,
        "SpeechFinished": nothing,
        "HoldFinished": nothing,
        "DeviceLost": controls.device_lost,
        "DeviceFound": controls.device_found,
        "UtteranceMissed": nothing,
        "timer step": nothing,
        "timer answer": nothing,
        "timer checkin": nothing,
        "timer long": nothing,
        "timer warn": safety.repeat_warning,
        "redflag": safety.red_flag,
        "help": safety.repeat_warning,
        "helper_here": safety.with_company,
        "worse": safety.repeat_warning,
        "yes": safety.with_company,
        "no": safety.alone,
        "im_okay": safety.okay,
        "control_stop": safety.quieten,
        "control_repeat": safety.repeat_warning,
        "control_slower": controls.slower,
        "control_faster": controls.faster,
        "control_louder": controls.louder,
        "control_quieter": controls.quieter,
        "ask_what_do_i_do": safety.repeat_warning,
        "control_next": safety.first_okay,
        "control_skip": safety.first_okay,
        "control_again": safety.first_okay,
        "control_resume": safety.first_okay,
        "control_back": safety.first_okay,
    },
    State.OFFERING: {
        **_ASKED,
        "timer long": nothing,
        "control_pause": controls.take_your_time,
        "cramp": safety.carry_on,
        "yes": safety.carry_on,
        "no": controls.end,
        "im_okay": safety.carry_on,
        "still_hurts": safety.carry_on,
        "came_back": safety.carry_on,
        "control_next": safety.carry_on,
        "control_again": safety.carry_on,
        "control_resume": safety.carry_on,
    },
}
"""State, then what happened, to the rule that answers it."""


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


def listening(now: Dialogue) -> Listen:
    """Return what may be said now, in the context flags of the sentence files, and what is likely.

    Once a cramp was coached, "it's back" means something while idle, too.
    """
    flags = {"session", "recent"}
    if now.state is State.IDLE:
        flags = {"recent"} if now.eased_at is not None else set()
    elif now.state is State.ASKING:
        flags.add("asked")
    return Listen(frozenset(flags), _EXPECTED[now.state])


def trigger(event: Event) -> str:
    """Return the column of the table that an event belongs to."""
    if isinstance(event, UtteranceHeard):
        return "redflag" if event.intent.startswith("redflag_") else event.intent
    if isinstance(event, TimerFired):
        return f"timer {event.name}"
    return type(event).__name__


def step(
    now: Dialogue, event: Event, book: Book, coaching: Coaching
) -> tuple[Dialogue, tuple[Action, ...]]:
    """Answer one event; the caller performs the actions in their order.

    Raises IllegalEvent, and changes nothing, if the table has no cell for it.
    """
    rule = TRANSITIONS[now.state].get(trigger(event))
    if rule is None:
        raise IllegalEvent(f"“{trigger(event)}” means nothing while {now.state.value}.")
    turn = rule(_noted(Turn(now, event, book, coaching)))
    turn = _listened(_timed(turn))
    return turn.now, turn.actions


def _noted(turn: Turn) -> Turn:
    """Take in what every event of its kind changes."""
    if isinstance(turn.event, UtteranceHeard):
        return turn.know(misses=0, silences=0, quiet=False)
    if isinstance(turn.event, SpeechFinished):
        return turn.know(speaking=False)
    return turn


def _timed(turn: Turn) -> Turn:
    """Keep rule 4: speech puts off the timer of the state, and its end sets it."""
    kinds = [type(action) for action in turn.actions]
    last_hush = max((n for n, kind in enumerate(kinds) if kind is Hush), default=-1)
    queued = any(kind in (Say, Count, Wait) for kind in kinds[last_hush + 1 :])
    hushed = last_hush >= 0
    if queued:
        said = tuple(a for a in turn.actions[last_hush + 1 :] if isinstance(a, Say))
        turn = turn.know(speaking=True, said=said or turn.now.said)
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
    if now.quiet:
        return ()
    if now.state is State.GUIDING:
        return (SetTimer("step", round(coaching.step_seconds / now.pace, 3)),)
    if now.state in QUESTIONS:
        return (SetTimer("answer", coaching.answer_seconds),)
    if now.state is State.WARNED:
        return (SetTimer("warn", safety.repeat_seconds(now.warned_times)),)
    return ()


def _listened(turn: Turn) -> Turn:
    """Tell the recogniser when something else may be said."""
    listens = listening(turn.now)
    if listens == turn.now.listening:
        return turn
    return turn.know(listening=listens).do(listens)
