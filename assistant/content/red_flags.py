"""The signs at which Charley must not coach, and the questions that rule them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assistant.content import yaml_source
from assistant.content.prompts import Line, checked

_LEVELS = ("emergency", "urgent")
_STAYS = ("limb", "body")


@dataclass(frozen=True, slots=True)
class RedFlag:
    """One sign, and what is said to it."""

    intent: str
    level: str
    """"emergency" (call emergency help now) or "urgent" (be seen today)."""
    name: str
    """A few words for reports."""
    lines: tuple[Line, ...]
    stays: str
    """What is not worked on again after it: "limb" or "body"; empty if "I'm okay" clears it."""
    ask_first: str
    """The question to ask before warning; empty to warn at once."""


@dataclass(frozen=True, slots=True)
class Question:
    """A safety question with yes or no for an answer."""

    name: str
    line: Line
    flag: str
    """The red flag that a yes means."""


@dataclass(frozen=True, slots=True)
class RedFlags:
    """All of red_flags.yaml."""

    flags: Mapping[str, RedFlag]
    questions: Mapping[str, Question]
    uncertain: Mapping[str, str]
    """Red flag heard without certainty, or "default", to the question to ask."""

    def question_for(self, intent: str, certain: bool) -> str:
        """Return the question to ask before warning; empty if none is needed."""
        if certain:
            return self.flags[intent].ask_first
        return self.uncertain.get(intent, self.uncertain["default"])


def load(path: Path) -> RedFlags:
    """Read red_flags.yaml; IntentDataError names file and line of a mistake."""
    root = yaml_source.read(path)
    root.mapping(frozenset({"flags", "questions", "uncertain"}))
    flags = {name: _flag(name, node) for name, node in root.need("flags").mapping().items()}
    questions = {
        name: _question(name, node, flags)
        for name, node in root.need("questions").mapping().items()
    }
    uncertain = root.need("uncertain")
    uncertain.need("default")
    for node in (*uncertain.mapping().values(), *_ask_firsts(root)):
        if node.text() not in questions:
            raise node.error(f"unknown question “{node.text()}”; see `questions` in this file.")
    return RedFlags(flags, questions, {k: n.text() for k, n in uncertain.mapping().items()})


def _ask_firsts(root: yaml_source.Node) -> tuple[yaml_source.Node, ...]:
    flags = root.need("flags").mapping().values()
    return tuple(f.need("ask_first") for f in flags if "ask_first" in f.mapping())


def _flag(name: str, node: yaml_source.Node) -> RedFlag:
    entries = node.mapping(frozenset({"name", "level", "source", "say", "ask_first", "stays"}))
    node.need("source")
    level = node.need("level").text()
    if level not in _LEVELS:
        raise node.need("level").error(f"unknown level “{level}”; expected {' or '.join(_LEVELS)}.")
    lines = tuple(
        Line(f"{name}.{n}", checked(item))
        for n, item in enumerate(node.need("say").items(), start=1)
    )
    stays = entries["stays"].text() if "stays" in entries else ""
    if stays and stays not in _STAYS:
        raise entries["stays"].error(f"unknown “{stays}”; expected {' or '.join(_STAYS)}.")
    ask_first = entries["ask_first"].text() if "ask_first" in entries else ""
    return RedFlag(name, level, node.need("name").text(), lines, stays, ask_first)


def _question(name: str, node: yaml_source.Node, flags: Mapping[str, RedFlag]) -> Question:
    node.mapping(frozenset({"say", "yes"}))
    flag = node.need("yes").text()
    if flag not in flags:
        raise node.need("yes").error(f"unknown red flag “{flag}”; see `flags` in this file.")
    return Question(name, Line(f"triage.{name}", checked(node.need("say"))), flag)
