"""What an utterance was taken to mean, and what else was considered."""

from collections.abc import Mapping
from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class NoMatch:
    """An utterance that means nothing here."""

    text: str
    reason: str
    rejected: tuple[Candidate, ...] = ()
