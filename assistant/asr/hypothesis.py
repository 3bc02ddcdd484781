"""What a recogniser hears, whichever it is: hypotheses, and the protocol that gives them.

A recogniser hears the phrases of a grammar. Sound that no phrase explains becomes the word
`UNKNOWN`, which is for recognisers and for what weighs their alternatives. All others ask
`is_unknown`, `known` and `readable`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from assistant.audio.pcm import Samples

RATE = 16000
"""Hertz of the sound that a recogniser takes; the models were trained on it."""
UNKNOWN = "[unk]"
"""The word for what no phrase of the grammar explains."""
_ELLIPSIS = "..."


def is_unknown(text: str) -> bool:
    """Return whether a text has words, and all are unknown."""
    return set(text.split()) == {UNKNOWN}


def known(text: str) -> str:
    """Return a text without its unknown words."""
    return " ".join(word for word in text.split() if word != UNKNOWN)


def trimmed(text: str) -> str:
    """Return a text without an unknown word at either end; a single word stays."""
    words = text.split()
    words = words[len(words) > 1 and words[0] == UNKNOWN :]
    words = words[: len(words) - (len(words) > 1 and words[-1] == UNKNOWN)]
    return " ".join(words)


def readable(text: str) -> str:
    """Return a text for people to read: an unknown word is an ellipsis."""
    return text.replace(UNKNOWN, _ELLIPSIS)


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word with its place in the stream."""

    text: str
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True, slots=True)
class Alternative:
    """What a whole utterance may have been."""

    words: tuple[Word, ...]
    behind: float
    """How much less likely than the likeliest, as a natural logarithm, 0 or more."""

    @property
    def text(self) -> str:
        """The words alone."""
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What was heard so far, or finally, in one utterance."""

    text: str
    words: tuple[Word, ...]
    """Final hypotheses have them; partial ones have none."""
    final: bool
    at_seconds: float
    """Position in the stream, in seconds of sound, when it was known."""
    stable_words: int = 0
    """How many leading words have stood unchanged for a while; all, in a final one."""
    alternatives: tuple[Alternative, ...] = ()
    """All that a final one may be, the likeliest first: its own words."""

    @staticmethod
    def ended(found: tuple[Alternative, ...], at_seconds: float) -> Hypothesis:
        """Return the final hypothesis of some alternatives, the likeliest first."""
        words = found[0].words
        return Hypothesis(found[0].text, words, True, at_seconds, len(words), found)

    @staticmethod
    def nothing(at_seconds: float) -> Hypothesis:
        """Return the end of an utterance in which nobody near said anything."""
        return Hypothesis("", (), True, at_seconds)

    @property
    def stable_text(self) -> str:
        """The leading words that will hardly change any more."""
        return " ".join(self.text.split()[: self.stable_words])

    @property
    def is_unknown(self) -> bool:
        """True if something was heard, but no phrase that was listened for."""
        return is_unknown(self.text)

    @property
    def readable(self) -> str:
        """The text for people to read."""
        return readable(self.text)


class Recogniser(Protocol):
    """Anything that turns sound into hypotheses."""

    def feed(self, samples: Samples) -> list[Hypothesis]:
        """Take the next sound, int16 at 16 kHz; return what is new."""
        ...

    def listen(self, phrases: Iterable[str]) -> None:
        """Set the phrases that can be heard from now on."""
        ...

    def finish(self) -> list[Hypothesis]:
        """Close the utterance in progress; the stream may go on."""
        ...
