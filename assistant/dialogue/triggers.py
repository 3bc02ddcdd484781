"""What the rows of the table are looked up by: a kind of event, a timer, or an intent."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from assistant.dialogue.events import Event, TimerFired, UtteranceHeard
from assistant.errors import IllegalEvent

_Kind = TypeVar("_Kind", bound=StrEnum)


class Intent(StrEnum):
    """All that an utterance may mean; the sentence files of every language use these words."""

    RED_FLAG = "redflag"
    """Any of the intents "redflag_..."; which ones there are is data (red_flags.yaml)."""
    HELP = "help"
    HELPER_HERE = "helper_here"
    CALL = "call"
    """Charley's name, and nothing else."""

    CRAMP = "cramp"
    STITCH = "stitch"
    RELIEF_GONE = "relief_gone"
    STILL_HURTS = "still_hurts"
    WORSE = "worse"
    CAME_BACK = "came_back"

    YES = "yes"
    NO = "no"
    IM_OKAY = "im_okay"
    CANT_DO = "cant_do"
    UNSURE = "unsure"
    REPLY = "reply"
    """What is said to Charley in need; the slot "to" is what about."""

    CONTROL_STOP = "control_stop"
    CONTROL_PAUSE = "control_pause"
    CONTROL_RESUME = "control_resume"
    CONTROL_NEXT = "control_next"
    CONTROL_BACK = "control_back"
    CONTROL_AGAIN = "control_again"
    CONTROL_SKIP = "control_skip"
    CONTROL_REPEAT = "control_repeat"
    CONTROL_SLOWER = "control_slower"
    CONTROL_FASTER = "control_faster"
    CONTROL_LOUDER = "control_louder"
    CONTROL_QUIETER = "control_quieter"

    ASK_WHAT_DO_I_DO = "ask_what_do_i_do"
    ASK_TIME_LEFT = "ask_time_left"
    ASK_WHY = "ask_why"
    ASK_WHY_NOT_STRETCH = "ask_why_not_stretch"
    ASK_PREVENT = "ask_prevent"
    ASK_ABOUT = "ask_about"
    """A topic of the answers in prompts.yaml."""
    MORE = "more"

    CHANGE = "change"
    """A setting, from now on."""
    UNDO = "undo"


KNOWN_INTENTS = frozenset(Intent) - {Intent.RED_FLAG}
"""The intents that a sentence file may name, besides those of the red flags."""


class Timer(StrEnum):
    """The timers of the dialogue."""

    STEP = "step"
    """A step was spoken; the next one is due."""
    ANSWER = "answer"
    """A question was put; nobody answered."""
    WARN = "warn"
    """A warning was spoken; nobody answered."""
    CHECKIN = "checkin"
    """Some minutes have passed since the cramp was gone."""
    LONG = "long"
    """The cramp has lasted ten minutes."""


Trigger = type[Event] | Intent | Timer
"""A column of the table: UtteranceHeard stands there as its intent, TimerFired as its timer."""


def trigger_of(event: Event) -> Trigger:
    """Return the column that an event belongs to; IllegalEvent if there is none."""
    if isinstance(event, UtteranceHeard):
        name = Intent.RED_FLAG if event.intent.startswith("redflag_") else event.intent
        return _known(Intent, name)
    if isinstance(event, TimerFired):
        return _known(Timer, event.name)
    return type(event)


def _known(kind: type[_Kind], name: str) -> _Kind:
    try:
        return kind(name)
    except ValueError:
        raise IllegalEvent(f"“{name}” means nothing to Charley.") from None
