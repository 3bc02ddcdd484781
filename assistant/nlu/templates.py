"""The sentence templates of one language as data, and the language's rules for reading them.

Pure values: `template_files` reads them, `intents` joins them, `parser` finds them in utterances.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assistant.nlu.normalise import Spelling

Context = frozenset[str] | None
"""The context flags that are set, such as `SESSION`; None is every context at once."""

SESSION = "session"
"""The context flag of a running conversation; without it a phrase would start one."""

ASIDE = "_aside"
"""The intent of phrases that may be said around a command without changing it."""

GUARD = "_guard"
"""The intent of phrases that keep words from starting anything: "not", "my brother's"."""

GUARD_KINDS = frozenset({"negation", "person", "time", "sense"})
"""What a guard denies: the thing itself, whose it is, when it is, what the word means."""

RED_FLAG_PREFIX = "redflag_"
"""How the intents begin that name a sign at which Charley must not coach."""

FOR_ANY_DEVICE = frozenset({"call", "came_back", "control_stop", "help"})
"""Intents whose sentences are said to whatever device listens, so they alone do not wake Charley
where other things listen too."""


@dataclass(frozen=True, slots=True)
class Block:
    """Sentence templates that mean the same."""

    intent: str
    slots: Mapping[str, str]
    requires: frozenset[str]
    """Context flags that must all be set; none means always."""
    barge_in: bool
    """True if it may cut Charley short."""
    exact: bool
    """True if it counts only as the whole utterance."""
    cutoff: float
    """Share of the utterance, 0 to 100, that must be understood for this block to count."""
    common: bool = False
    """Said so often that the recogniser should expect every value and option there."""

    @property
    def has_meaning(self) -> bool:
        """True if it means something by itself; asides and guards do not."""
        return self.intent not in (ASIDE, GUARD)

    def counts_in(self, context: Context) -> bool:
        """Return True if it may count in a context."""
        return context is None or self.requires <= context


@dataclass(frozen=True, slots=True)
class Template:
    """One sentence template and where it is written."""

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
class LanguageRules:
    """Spelling, word classes and precedence of a language: all of it that is no sentence."""

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


def content_words(words: tuple[str, ...], rules: LanguageRules) -> tuple[str, ...]:
    """Return the words without those that carry nothing.

    The last one stays, and a verb in front: "yes it is" answers, "is it gone" asks.
    """
    last = len(words) - 1
    return tuple(
        word
        for at, word in enumerate(words)
        if word not in rules.ignored or at == last or (at == 0 and word in rules.asking)
    )
