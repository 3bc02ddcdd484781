"""Who speaks a language, from speech.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assistant.content.yaml_source import Node

_KINDS = ("deeper", "higher")


@dataclass(frozen=True, slots=True)
class Voices:
    """Who speaks a language; names as the voice engine has them."""

    charley: str
    """Charley's own under espeak-ng, on Linux."""
    system: str
    """Part of the name of a voice on other systems; empty for the system's own choice."""
    runner: str
    """The synthetic runner of the demo."""
    check_word: str
    """A command that a speech model of this language must hear."""
    choices: Mapping[str, str]
    """Voices under espeak-ng that Charley can change to, in turn: "deeper" or "higher"; empty
    where there is only one."""


def parse(root: Node) -> Voices:
    """Return the voices that speech.yaml names; IntentDataError names file and line."""
    entries = root.mapping()
    return Voices(
        charley=root.need("voice").text(),
        system=entries["system_voice"].text() if "system_voice" in entries else "",
        runner=root.need("runner_voice").text(),
        check_word=root.need("check_word").text(),
        choices=_choices(entries["choices"]) if "choices" in entries else {},
    )


def _choices(node: Node) -> dict[str, str]:
    choices = {}
    for name, kind in node.mapping().items():
        choices[name] = kind.text()
        if choices[name] not in _KINDS:
            raise kind.error(f"a voice is {' or '.join(_KINDS)}, not “{choices[name]}”.")
    return choices
