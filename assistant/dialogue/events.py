"""What happened: the only things that the dialogue hears of.

`at` is the session's own time in seconds since it began: audio time where there is audio, virtual
time elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Started:
    """The session began."""

    at: float
    first_time: bool = True
    """False once this user has heard that Charley is not a doctor."""


@dataclass(frozen=True, slots=True)
class UtteranceHeard:
    """The user said something that was understood."""

    at: float
    text: str
    """What was heard, normalised."""
    intent: str
    """An Intent's value or the name of a red flag, such as "cramp" or "redflag_chest_breathing"."""
    slots: Mapping[str, str] = field(default_factory=dict)
    """Slot name to value, such as {"muscle": "calf", "side": "left"}."""
    hold_position_seconds: float | None = None
    """Position in the running hold in seconds when it was said; None outside a hold."""
    lines_left: int = 0
    """How many of the queued lines had not been heard to their end when it was said."""
    early: bool = False
    """True if it comes from a stable partial hypothesis, before the utterance ended."""


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
    """A Timer's value."""


@dataclass(frozen=True, slots=True)
class DeviceLost:
    """The microphone, the speaker or the voice went away."""

    at: float
    device: str
    """"microphone", "speaker" or "voice"."""


@dataclass(frozen=True, slots=True)
class DeviceFound:
    """A lost device came back."""

    at: float
    device: str
    """"microphone", "speaker" or "voice"."""
    hold_position_seconds: float | None = None
    """Position in the running hold in seconds; None outside a hold."""


@dataclass(frozen=True, slots=True)
class Suspended:
    """The program goes on after it stood still, because of a signal or the machine's sleep."""

    at: float
    seconds: float
    """How long it stood still; the session's time did too."""
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
    """The program is about to end; the last event of its session."""

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
