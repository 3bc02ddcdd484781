"""An utterance as a tuple of plain words; the one normaliser of templates and of what is heard.

Pure, and without a word of any language: contractions, numerals and joined spellings come from
the caller as a `Spelling`.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

_APOSTROPHES = dict.fromkeys(map(ord, "\u2018\u2019\u02bc\u00b4\u0060\u2032\uff07"), "'")
_WORD = re.compile(r"\d+|[^\W\d_]+(?:'[^\W\d_]+)*|'[^\W\d_]+")
_LARGEST_NUMBER = 99


@dataclass(frozen=True, slots=True)
class Spelling:
    """How one language writes the same words in several ways."""

    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """A whole word to the words that replace it, such as "gonna" to "going", "to"."""
    endings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The end of a word to words, such as "n't" to "not"; the longest ending wins."""
    units: tuple[str, ...] = ()
    """The names of 0 to 19, or of more where tens and units do not simply follow each other."""
    tens: tuple[str, ...] = ()
    """The names of 0, 10, 20 to 90; the first two are never used."""


def normalise(text: str, spelling: Spelling) -> tuple[str, ...]:
    """Return the words of `text`: lower case, no marks, contractions and numerals written out."""
    return tuple(part for word in _WORD.findall(fold(text)) for part in _spell(word, spelling))


def surface(text: str) -> str:
    """Return `text` as a recogniser would print it: lower case, one space, marks only in words."""
    written = unicodedata.normalize("NFC", text.translate(_APOSTROPHES).lower())
    return " ".join(_WORD.findall(written))


def fold(text: str) -> str:
    """Return `text` in lower case with straight apostrophes and no accents."""
    if text.isascii() and "`" not in text:
        return text.lower()  # nearly every text, in a twentieth of the time
    parts = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES).casefold())
    return "".join(c for c in parts if not unicodedata.combining(c)).translate(_APOSTROPHES)


def _spell(word: str, spelling: Spelling) -> tuple[str, ...]:
    """Return the words that one written word means."""
    if word.isdigit():
        return _number(word, spelling)
    if word in spelling.words:
        return spelling.words[word]
    for start in range(len(word)):
        if word[start:] in spelling.endings and "'" in word:
            head = _spell(word[:start], spelling) if start else ()
            return head + spelling.endings[word[start:]]
    return (word.replace("'", ""),)


def _number(digits: str, spelling: Spelling) -> tuple[str, ...]:
    """Return the name of a small number, or its digits one by one."""
    if not (digits.isascii() and spelling.units and spelling.tens):
        return (digits,)
    if len(digits) > 2 or int(digits) > _LARGEST_NUMBER:
        return tuple(spelling.units[int(digit)] for digit in digits)
    value = int(digits)
    if value < len(spelling.units):
        return (spelling.units[value],)
    tens, unit = divmod(value, 10)
    return (spelling.tens[tens], spelling.units[unit]) if unit else (spelling.tens[tens],)
