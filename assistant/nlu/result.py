"""What an utterance was taken to mean, and what else was considered."""

from collections.abc import Mapping
from dataclasses import dataclass

from assistant.nlu.templates import RED_FLAG_PREFIX


@dataclass(frozen=True, slots=True)
class Candidate:
    """A meaning that was considered and not taken."""

    intent: str
    slots: Mapping[str, str]
    phrase: str
    """The sentence template."""
    score: float
    why: str
    """Why it was not taken."""


@dataclass(frozen=True, slots=True)
class Match:
    """What an utterance means."""

    text: str
    """The utterance as it came."""
    intent: str
    slots: Mapping[str, str]
    score: float
    """Share of the utterance that is understood, 0 to 100."""
    margin: float
    """Lead over the best other intent, 0 to 100."""
    phrase: str
    """The sentence template that it matched."""
    barge_in: bool = False
    """True if it may cut Charley short before the utterance has ended."""
    rejected: tuple[Candidate, ...] = ()

    @property
    def is_red_flag(self) -> bool:
        """True if it is a sign at which Charley must not coach."""
        return self.intent.startswith(RED_FLAG_PREFIX)

    @property
    def is_urgent(self) -> bool:
        """True for a red flag, a call for help and a stop, which must always get through."""
        return self.is_red_flag or self.intent in ("help", "control_stop")


@dataclass(frozen=True, slots=True)
class NoMatch:
    """An utterance that means nothing here."""

    text: str
    reason: str
    rejected: tuple[Candidate, ...] = ()
