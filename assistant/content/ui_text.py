"""What is shown and never spoken: reports, transcripts, what accompanies sound files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

from assistant.content import yaml_source
from assistant.content.yaml_source import Node
from assistant.errors import RoutineError

_STATES = (
    "idle asking triage guiding holding checking resting easing following paused warned offering"
)
_NAMES = {
    "states": _STATES,
    "feelings": "relief_gone still_hurts worse came_back",
    "times": "never once twice many(count)",
    "date": "whole(weekday,day,month,year,time)",
    "headline": (
        "none flagged(name,flag) several(names) returned(name,times) usual(name,outcome) then"
    ),
    "outcome": (
        "untold gone gone_after_one(count) gone_after(count) another flagged stopped left_off"
        " lasting(outcome,clock) again(name)"
    ),
    "holds": "whole(count) cut(count,places) place(count,of) none counts(count) line(holds)",
    "told": "several(word,count) nothing",
    "facts": (
        "when holds told relief came_back red_flags missed none flag(flag,clock) minutes(clock)"
        " dateless(length) missed_one(misses,count) missed_of(misses,count)"
        " otherwise_one(count) otherwise(count)"
    ),
    "talk": "you unkept meant(meaning) you_say charley_says you_spoke missed one_count"
    " tone chime runner heard",
    "typing": "hint hint_fast keys",
    "pack": "comment cover(count,rounds,note,example,title,playlist)",
}
_LISTS = ("weekdays", "months")


def _slots() -> Iterator[tuple[str, frozenset[str]]]:
    for group, names in _NAMES.items():
        for name in names.split():
            key, _, slots = name.rstrip(")").partition("(")
            yield f"{group}.{key}", frozenset(slots.split(",")) - {""}


SLOTS: Mapping[str, frozenset[str]] = dict(_slots())
"""Every text that is asked for, with what it may hold in braces."""


@dataclass(frozen=True, slots=True)
class UiText:
    """The texts that a language shows."""

    texts: Mapping[str, str]
    weekdays: tuple[str, ...]
    """Monday first."""
    months: tuple[str, ...]
    """January first."""
    meanings: Mapping[str, str]
    """What an utterance meant, by the name of the intent, where its words were not kept."""

    def __call__(self, key: str, **slots: object) -> str:
        """Return a text with its slots filled in."""
        return self.texts[key].format(**slots)

    def counted(self, key: str, count: int, **slots: object) -> str:
        """Return the text for one or for several of something."""
        return self(f"{key}_one" if count == 1 else key, count=count, **slots)


def printable(text: str) -> str:
    """Return a text without what could upset a terminal or XML: escapes and the like are spaces."""
    return "".join(char if char.isprintable() else " " for char in text)


def minutes_seconds(seconds: float) -> str:
    """Return seconds as minutes and seconds: "61:01".

    A microsecond is added, because 59.9999999 s, the sum of many steps, is a minute.
    """
    minutes, rest = divmod(int(seconds + 1e-6), 60)
    return f"{minutes}:{rest:02}"


def load(path: Path) -> UiText:
    """Read pages.yaml; IntentDataError names file and line of a mistake."""
    root = yaml_source.read(path)
    root.mapping(frozenset({*_NAMES, *_LISTS, "meanings"}))
    return UiText(
        texts={key: _text(root, key) for key in SLOTS},
        weekdays=_list(root, "weekdays", 7),
        months=_list(root, "months", 12),
        meanings={name: node.text() for name, node in root.need("meanings").mapping().items()},
    )


def _list(root: Node, name: str, count: int) -> tuple[str, ...]:
    words = root.need(name).texts()
    if len(words) != count:
        raise RoutineError(f"{root.path}: “{name}” needs {count} words, not {len(words)}.")
    return words


def _text(root: Node, key: str) -> str:
    group, _, name = key.partition(".")
    node = root.need(group).need(name)
    try:
        found = {slot for _, slot, _, _ in Formatter().parse(node.text()) if slot is not None}
    except ValueError as error:
        raise node.error(f"cannot read “{node.text()}”: {error}.") from None
    if unknown := found - SLOTS[key]:
        names = ", ".join(sorted(SLOTS[key])) or "nothing in braces"
        raise node.error(f"unknown “{{{min(unknown)}}}”; expected {names}.")
    return node.text()
