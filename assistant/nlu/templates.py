"""The sentences of one language as data: what may be said, and what stands around it.

Pure values; `sentence_files` reads them, `intents` joins them, `chart` walks through them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assistant.nlu.normalise import Spelling

SKIP = "_skip"
"""The intent name of phrases that may be said around a command without changing it."""

GUARD = "_guard"
"""The intent name of phrases that veto a start: negation, other people, other times."""

MEANT_FOR_ANYONE = frozenset({"call", "came_back", "control_stop", "help"})
"""Intents whose sentences are said to whatever device listens, so they alone do not wake Charley
where other things listen too."""

GUARDS = frozenset({"negation", "person", "time", "sense"})
"""What a guard's phrase denies: the thing itself, whose it is, when, or what the word means."""


@dataclass(frozen=True, slots=True)
class Block:
    """Sentence templates that mean the same."""

    intent: str
    slots: Mapping[str, str]
    requires: frozenset[str]
    """Context flags that must all be set; none means always."""
    barge_in: bool
    exact: bool
    cutoff: float
    """Share of the utterance, 0 to 100, that must be understood for this block to count."""
    common: bool = False
    """Said so often that the recogniser should expect every value and option in its place."""

    @property
    def said(self) -> bool:
        """True if it means something, rather than standing around what does."""
        return self.intent not in (SKIP, GUARD)


@dataclass(frozen=True, slots=True)
class Template:
    """One sentence template and where it stands."""

    text: str
    block: Block
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Value:
    """One thing that a {list} may be: its words and the slots that it fills."""

    text: str
    words: tuple[str, ...]
    slots: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Language:
    """Everything about a language that is no sentence."""

    spelling: Spelling
    ignored: frozenset[str]
    """Words deleted from templates and utterances, except as the last word."""
    asking: frozenset[str]
    """Those of the ignored words that make a question when they come first."""
    decoys: frozenset[str]
    """Ordinary words that look like a command word and must not be corrected to one."""
    precedence: tuple[str, ...]
    """Intents, the strongest first; several in one breath are decided by it."""
    small: frozenset[str]
    """Words that carry little; left over, they count less against a meaning."""
    talk: frozenset[str]
    """Common words of ordinary talk, for recognisers that need something else to hear."""


def allows(block: Block, context: frozenset[str] | None) -> bool:
    """Return True if a block may count in a context; None is every context at once."""
    return context is None or block.requires <= context


def content(words: tuple[str, ...], language: Language) -> tuple[str, ...]:
    """Return the words without those that carry nothing.

    The last one stays, and a verb in front: "yes it is" answers, "is it gone" asks.
    """
    last = len(words) - 1
    return tuple(
        word
        for at, word in enumerate(words)
        if word not in language.ignored or at == last or (at == 0 and word in language.asking)
    )
