"""How words are pronounced: CMUdict, manual additions, derivations and guesses.

Each pronunciation is given in American English and as most of England and Australia say it.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from assistant.errors import ModelError
from assistant.nlu.normalise import fold
from assistant.paths import models_file
from assistant.speech_models import g2p
from assistant.speech_models.g2p import Pronunciation
from assistant.speech_models.phones import PHONES, SILENCE

Table = dict[str, dict[Pronunciation, None]]

VOWELS = frozenset(
    ["AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"]
)
ROUND_O = re.compile(r"o|wa|qua")
"""Spellings whose AA is said as AO in England, such as in "hot"."""
SPOKEN_PHONES = frozenset(PHONES) - {SILENCE}


class Origin(StrEnum):
    """Where a pronunciation comes from."""

    FILE = "your file"
    DICTIONARY = "dictionary"
    PARTS = "made from words of the dictionary"
    GUESSED = "guessed from its letters"


@dataclass(frozen=True, slots=True)
class Spoken:
    """How a word is pronounced."""

    pronunciations: tuple[Pronunciation, ...]
    """The American ones first; none if the word cannot be pronounced."""
    origin: Origin


@cache
def cmudict() -> Mapping[str, tuple[Pronunciation, ...]]:
    """Return the CMU Pronouncing Dictionary without its stress marks."""
    table: Table = {}
    with gzip.open(models_file("cmudict.dict.gz"), "rt", encoding="utf-8") as file:
        lines = file.read().splitlines()
    for line in lines:
        word, *phones = re.sub(r" #.*|\d(?= |$)", "", line).split()
        table.setdefault(word.partition("(")[0], {})[tuple(phones)] = None
    return {word: tuple(said) for word, said in table.items()}


@cache
def long_a_words() -> frozenset[str]:
    """Return the words whose short "a" is long in the south of England."""
    lines = models_file("long-a.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def read_pronunciations(path: Path) -> dict[str, tuple[Pronunciation, ...]]:
    """Read lines of a word and its phones, such as "hammy HH AE M IY"; ModelError names a line."""
    table: Table = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise ModelError(f"{path}: is not UTF-8 text; save it as UTF-8.") from None
    for number, line in enumerate(lines, 1):
        word, *phones = line.partition("#")[0].split() or [""]
        if not word:
            continue
        strange = [phone for phone in phones if phone not in SPOKEN_PHONES]
        if strange or not phones:
            what = f"“{strange[0]}” is no phone" if strange else "there are no phones"
            known = " ".join(sorted(SPOKEN_PHONES))
            raise ModelError(f"{path}, line {number}: {what} in “{word}”; there are {known}.")
        table.setdefault(word.lower(), {})[tuple(phones)] = None
    return {word: tuple(said) for word, said in table.items()}


class Lexicon:
    """Known and derived pronunciations of words."""

    def __init__(self, own: Path | None = None) -> None:
        """`own` is a file whose pronunciations replace all others of its words. ModelError."""
        self._own = read_pronunciations(own) if own else {}
        self._known = dict(cmudict())
        for word, said in read_pronunciations(models_file("extra.dict")).items():
            self._known[word] = tuple(dict.fromkeys((*self._known.get(word, ()), *said)))

    def __contains__(self, word: str) -> bool:
        """Return whether a word's pronunciation is known without a guess."""
        return self.spoken(word, guess=False).pronunciations != ()

    @property
    def own(self) -> Iterable[str]:
        """The words in the user's own file."""
        return self._own

    def spoken(self, word: str, *, guess: bool = True) -> Spoken:
        """Return how a word is pronounced, in several accents, and where that comes from."""
        if word in self._own:
            return Spoken(self._own[word], Origin.FILE)
        if word in self._known:
            return _spoken(word, self._known[word], Origin.DICTIONARY)
        made = next(filter(None, (rule(word, self._known) for rule in _RULES)), ())
        if made or not guess:
            return _spoken(word, made, Origin.PARTS)
        return _spoken(word, _guessed(word), Origin.GUESSED)


def _spoken(word: str, said: Iterable[Pronunciation], origin: Origin) -> Spoken:
    variants = (variant for phones in said for variant in _accents(word, phones))
    return Spoken(tuple(dict.fromkeys(variants)), origin)


def _guessed(word: str) -> tuple[Pronunciation, ...]:
    """Return what the letters suggest; nothing if it has letters foreign to English."""
    letters = re.sub(r"['-]", "", fold(word))
    return g2p.guesses(letters) if re.fullmatch("[a-z]+", letters) else ()


def _without_r(phones: Pronunciation) -> Pronunciation:
    """Drop each R that no vowel follows, as most of England and Australia do."""
    spoken: list[str] = []
    for index, phone in enumerate(phones):
        following = phones[index + 1] if index + 1 < len(phones) else ""
        if phone == "R" and following not in VOWELS and spoken and spoken[-1] in VOWELS:
            if spoken[-1] in {"IH", "UH", "AW", "AY"}:
                spoken.append("AH")
        elif (phone == "ER" and not following and len(phones) > 2) or (
            phone == "ER" and following in {"Z", "D"} and index + 2 == len(phones) and index > 2
        ):
            spoken.append("AH")
        else:
            spoken.append(phone)
    return tuple(spoken)


def _accents(word: str, phones: Pronunciation) -> Iterator[Pronunciation]:
    """The pronunciation itself, then how other accents say it."""
    yield phones
    broad = phones
    if word in long_a_words():
        broad = tuple("AA" if phone == "AE" else phone for phone in broad)
    if ROUND_O.search(word) and "R" not in phones:
        broad = tuple("AO" if phone == "AA" else phone for phone in broad)
    yield _without_r(broad)


_Known = Mapping[str, tuple[Pronunciation, ...]]


def _possessive(word: str, known: _Known) -> tuple[Pronunciation, ...]:
    """Build "calf's" from "calf", and the contractions of "is", "has", "will", "have"."""
    stem, _, ending = word.partition("'")
    endings = {"s": ("Z",), "ll": ("AH", "L"), "ve": ("AH", "V"), "re": ("ER",), "d": ("D",)}
    if ending not in endings or stem not in known:
        return ()
    return tuple(phones + _ending(phones, endings[ending]) for phones in known[stem])


def _plural(word: str, known: _Known) -> tuple[Pronunciation, ...]:
    """Build "shins" from "shin"."""
    if not word.endswith("s") or word[:-1] not in known:
        return ()
    return tuple(phones + _ending(phones, ("Z",)) for phones in known[word[:-1]])


def _ending(phones: Pronunciation, ending: Pronunciation) -> Pronunciation:
    if ending != ("Z",):
        return ending
    if phones[-1] in {"S", "Z", "SH", "ZH", "CH", "JH"}:
        return ("AH", "Z")
    return ("S",) if phones[-1] in {"P", "T", "K", "F", "TH"} else ("Z",)


def _compound(word: str, known: _Known) -> tuple[Pronunciation, ...]:
    """Pronounce "heel-toe" by its parts.

    Not "goosebumps": a word cut in two at any place has 15 % of its phones wrong, a guess 6 %.
    """
    parts = word.split("-")
    if len(parts) < 2 or not all(part in known for part in parts):
        return ()
    return (tuple(phone for part in parts for phone in known[part][0]),)


def _unmarked(word: str, known: _Known) -> tuple[Pronunciation, ...]:
    """Pronounce "dont" as "don't"."""
    marked = (f"{word[:cut]}'{word[cut:]}" for cut in (-1, -2))
    return next((known[full] for full in marked if full in known), ())


_RULES = (_possessive, _plural, _compound, _unmarked)
