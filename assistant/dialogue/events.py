"""What happened: the only things that the dialogue ever hears of.

`at` is always the session's own time in seconds since it began (audio time where there is audio,
virtual time elsewhere); nothing here knows a clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Started:
    """The session began."""

    at: float
    first_time: bool = True
    """False once this user has been told that Charley is not a doctor."""


@dataclass(frozen=True, slots=True)
class UtteranceHeard:
    """The user said something that was understood."""

    at: float
    text: str
    """What was heard, normalised."""
    intent: str
    """A key of intents/<language>/sentences, such as "cramp" or "control_next"."""
    slots: Mapping[str, str] = field(default_factory=dict)
    """Slot name to value, such as {"muscle": "calf", "side": "left"}."""
    hold_position_seconds: float | None = None
    """Position in the running hold in seconds when it was said; None outside a hold."""
    lines_left: int = 0
    """How many of the lines being spoken were not heard to their end when it was said."""
    early: bool = False
    """True if taken from a stable partial hypothesis, before the utterance ended."""


@dataclass(frozen=True, slots=True)
class UtteranceMissed:
    """The user said something that was not understood (a no-match)."""

    at: float
    text: str = ""
    addressed: bool = True
    """False for sound that may not have been meant for Charley, such as talk nearby."""


@dataclass(frozen=True, slots=True)
class SpeechFinished:
    """Everything that was queued for speaking has been played to its end."""

    at: float


@dataclass(frozen=True, slots=True)
class HoldFinished:
    """A hold was counted to its last number; its end cue has begun."""

    at: float


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer set by SetTimer ran out."""

    at: float
    name: str


@dataclass(frozen=True, slots=True)
class DeviceLost:
    """The microphone, the speaker or the voice went away."""

    at: float
    device: str
    """"microphone", "speaker" or "voice"."""


@dataclass(frozen=True, slots=True)
class DeviceFound:
    """What was lost came back."""

    at: float
    device: str
    """"microphone", "speaker" or "voice"."""
    hold_position_seconds: float | None = None
    """Position in the running hold in seconds; None outside a hold."""


@dataclass(frozen=True, slots=True)
class Suspended:
    """The whole program stood still, by a signal or by the machine's sleep, and goes on now."""

    at: float
    seconds: float
    """How long; the session's time stood still with it."""
    hold_position_seconds: float | None = None
    """Position in the running hold in seconds; None outside a hold."""


@dataclass(frozen=True, slots=True)
class Xrun:
    """Sound was lost between the device and the program (ALSA's word for both directions)."""

    at: float
    device: str
    """"microphone" (overflow) or "speaker" (underflow)."""
    times: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """The program was told to end; the last event of its session."""

    at: float


Event = (
    Started
    | UtteranceHeard
    | UtteranceMissed
    | SpeechFinished
    | HoldFinished
    | TimerFired
    | DeviceLost
    | DeviceFound
    | Suspended
    | Xrun
    | Leaving
)
