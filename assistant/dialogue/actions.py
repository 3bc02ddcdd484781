"""What to do: the only things that the dialogue asks for.

Say, Count and Wait are queued and played one after the other; a Chime sounds at once, over them;
an Interject is laid into the gaps of the running hold; Hush drops all that is queued. The session
performs them in order.
"""

from dataclasses import dataclass

from assistant.dialogue.hold import Hold
from assistant.dialogue.triggers import Timer


@dataclass(frozen=True, slots=True)
class Say:
    """Speak one line."""

    key: str
    """The prompt's key in intents/<language>, for journals and tests."""
    text: str
    """The words, ready to speak."""
    pace: float = 1.0
    """Speaking rate relative to the user's setting; 0.8 is slower."""


@dataclass(frozen=True, slots=True)
class Chime:
    """Play an earcon."""

    name: str
    """"heard", "missed" or "quiet"."""


@dataclass(frozen=True, slots=True)
class Count:
    """Count a hold aloud, up to the end chime."""

    hold: Hold
    words: tuple[str, ...]
    """Spoken number words of the language; the index is the number."""


@dataclass(frozen=True, slots=True)
class Interject:
    """Speak a few words in the gap between two counts; the hold's end does not move."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Hush:
    """Stop the sound at once and drop all that is queued."""

    after_word: bool = False
    """True to finish the word that is being said."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Queue a stretch of silence, such as a rest between two lines."""

    seconds: float


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Ask for TimerFired(name) after some seconds; setting the timer again replaces it."""

    name: Timer
    seconds: float


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Drop a timer, if it is set."""

    name: Timer


@dataclass(frozen=True, slots=True)
class Listen:
    """Tell the recogniser what may be said from now on."""

    context: frozenset[str]
    """Context flags of intents/<language>/sentences; see Intents.phrases."""
    expects: frozenset[str] = frozenset()
    """Intents that are likely now; others may be said as well."""


@dataclass(frozen=True, slots=True)
class SetVolume:
    """Change the loudness of everything played from now on."""

    volume: float
    """0.0 (silent) to 1.0 (full)."""


@dataclass(frozen=True, slots=True)
class SetVoice:
    """Speak with another voice from the next line on."""

    name: str
    """As in the settings; empty for the usual voice."""


@dataclass(frozen=True, slots=True)
class Remember:
    """Keep a fact for later sessions, such as that the safety note was said."""

    name: str
    value: str


Action = (
    Say
    | Chime
    | Count
    | Interject
    | Hush
    | Wait
    | SetTimer
    | CancelTimer
    | Listen
    | SetVolume
    | SetVoice
    | Remember
)
