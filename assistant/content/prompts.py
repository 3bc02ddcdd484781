"""What Charley says, by key: tapered prompts with slots, read from intents/<language>."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assistant.content import yaml_source
from assistant.errors import RoutineError

MAX_WORDS = 18
"""A line that can be followed out of breath (domain text, part 2)."""

_NAMES = {
    "": "encourage listening",
    "about": "aims safety",
    "again": "once",
    "answer": "does_it_work drink enough how how_long magnesium massage painkillers pickle_juice"
    " prevent run_on spasms stretch why",
    "ask": "muscle only position thigh",
    "back": "first",
    "barred": "arm body leg trunk",
    "cant_do": "only",
    "change": "checkin_minute checkin_minutes checkin_seconds down hold_seconds no off rounds up"
    " voice voice_only yes",
    "check": "again ask",
    "device": "asleep count deaf found hears lost sound",
    "faster": "done",
    "fault": "busy free microphone speaker stuck voice voice_back",
    "follow": "ask fine fine_rest",
    "gone": "bed jog listening rest sore twitch walk",
    "help": "commands feelings start",
    "helper": "gentle hand",
    "hold": "full gentle last left more resume slower stay",
    "ladder": "position same",
    "leave": "done hold",
    "louder": "done",
    "missed": "full short wait",
    "no": "step",
    "nothing": "left running",
    "okay": "arm body check idle leg offer trunk which",
    "opening": "bed flags nearest opposite pregnant reassure relax rest stop switch twitch version",
    "pause": "done waiting",
    "plan_b": "opening pregnant rub stretch",
    "quieter": "done",
    "rest": "first next",
    "return": "first first_rest second third third_rest",
    "silence": "wait",
    "slower": "done",
    "stop": "done warned",
    "time": "check hold rest step",
    "triage": "ask clear idle",
    "undo": "done nothing",
    "warned": "again alone coming company first good here scared sorry thanks who",
    "welcome": "again first",
    "what": "idle",
    "worse": "gentle loose",
}

KEYS = frozenset(
    f"{group}.{name}" if group else name
    for group, names in _NAMES.items()
    for name in names.split()
)
"""Every prompt that the rules ask for: a language without one would fall silent in mid-cramp."""

_TABLES = ("sides", "positions", "titles")
"""Words by name, in the order of the fields of Prompts."""
_TITLES = ("album", "or")

_SLOT = re.compile(r"\{(\w+)\}( ?)")
_SENTENCE_START = re.compile(r"(?:^|[.!?] )[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Line:
    """One spoken line."""

    key: str
    text: str
    """May hold {side}, {name}, {opposite} and {left}."""


@dataclass(frozen=True, slots=True)
class Prompts:
    """All prompts of a language."""

    lines: Mapping[str, tuple[Line, ...]]
    numbers: tuple[str, ...]
    """Spoken number words; the index is the number."""
    sides: Mapping[str, str]
    """Slot value of a side to its spoken word."""
    positions: Mapping[str, str]
    """Position to its words in the titles of sound files and in reports."""
    titles: Mapping[str, str]
    """"album" of a sound file, with {name}; "or" between two positions."""

    def line(self, key: str, nth: int = 0) -> Line:
        """Return the nth wording of a prompt; the last one from then on."""
        wordings = self.lines[key]
        return wordings[min(nth, len(wordings) - 1)]


def fill(text: str, slots: Mapping[str, str]) -> str:
    """Put slot values into a line; an unknown slot is removed, with the space after it."""

    def value(found: re.Match[str]) -> str:
        word = slots.get(found[1], "")
        return word + found[2] if word else ""

    filled = _SLOT.sub(value, text).strip()
    return _SENTENCE_START.sub(lambda found: found[0].upper(), filled)


def checked(node: yaml_source.Node) -> str:
    """Return a spoken line's text; RoutineError if it is empty or longer than 18 words."""
    text = node.text()
    words = len(text.split())
    if not 0 < words <= MAX_WORDS:
        raise RoutineError(
            f"{node.path}, line {node.line}: a spoken line has 1 to {MAX_WORDS} words, not {words}."
        )
    return text


def load(path: Path) -> Prompts:
    """Read prompts.yaml; IntentDataError names file and line of a mistake."""
    entries = yaml_source.read(path).mapping()
    for key in ("numbers", *_TABLES, *sorted(KEYS)):
        if key not in entries:
            raise RoutineError(f"{path}, line 1: the key “{key}” is missing.")
    numbers = entries.pop("numbers").texts()
    for name in _TITLES:
        entries["titles"].need(name)
    tables = [
        {name: node.text() for name, node in entries.pop(key).mapping().items()} for key in _TABLES
    ]
    return Prompts({k: _wordings(k, node) for k, node in entries.items()}, numbers, *tables)


def _wordings(key: str, node: yaml_source.Node) -> tuple[Line, ...]:
    if not node.is_list:
        return (Line(key, checked(node)),)
    many = node.items()
    return tuple(
        Line(key if len(many) == 1 else f"{key}.{n}", checked(item))
        for n, item in enumerate(many, start=1)
    )
