"""All that Charley can say in one language: prompts, routines, red flags; and who says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assistant.content import prompts, red_flags, routines, ui_text, yaml_source
from assistant.content.prompts import Line, Prompts, fill
from assistant.content.red_flags import RedFlags
from assistant.content.routines import HELPER, POSITIONS, Routine
from assistant.content.ui_text import Wording
from assistant.errors import RoutineError

_SPEECH_KEYS = frozenset(
    {
        "voice",
        "choices",
        "system_voice",
        "runner_voice",
        "check_word",
        "homophones",
        "echoes",
    }
)
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
    """Voices under espeak-ng that Charley can change to, in turn: "deeper" or "higher"."""


@dataclass(frozen=True, slots=True)
class LanguagePack:
    """What can be said in one language."""

    prompts: Prompts
    routines: Mapping[str, Routine]
    red_flags: RedFlags
    wording: Wording
    voices: Mapping[str, str] = field(default_factory=dict)
    """Voices to change to, in turn: "deeper" or "higher"; empty where there is but one."""

    def lines(self) -> Iterator[Line]:
        """Yield every line that can ever be spoken."""
        for wordings in self.prompts.lines.values():
            yield from wordings
        for routine in self.routines.values():
            yield from routine.lines()
        for flag in self.red_flags.flags.values():
            yield from flag.lines
        for question in self.red_flags.questions.values():
            yield question.line

    def texts(self) -> Iterator[str]:
        """Yield every spoken text with its slots filled in all the ways that occur."""
        # Both sides have routines of their own, whose lines name no side.
        sides = ("", *(word for side, word in self.prompts.sides.items() if side != "both"))
        for line in self.lines():
            for side in sides if "{side}" in line.text else ("",):
                yield from self._filled(line.text, side)
        yield from self.prompts.numbers

    def _filled(self, text: str, side: str) -> Iterator[str]:
        if "{name}" in text or "{opposite}" in text:
            for routine in self.routines.values():
                if "{opposite}" in text and not routine.opposite:
                    continue
                slots = {"side": side, "name": routine.name, "opposite": routine.opposite}
                yield fill(text, slots)
        elif "{left}" in text:
            for number in self.prompts.numbers[:11]:
                yield fill(text, {"left": number})
        else:
            yield fill(text, {"side": side})


def voices(folder: Path) -> Voices:
    """Read speech.yaml of intents/<language>; IntentDataError names file and line of a mistake."""
    root = yaml_source.read(folder / "speech.yaml")
    entries = root.mapping(_SPEECH_KEYS)
    return Voices(
        charley=root.need("voice").text(),
        system=entries["system_voice"].text() if "system_voice" in entries else "",
        runner=root.need("runner_voice").text(),
        check_word=root.need("check_word").text(),
        choices=_choices(entries["choices"]) if "choices" in entries else {},
    )


def _choices(node: yaml_source.Node) -> dict[str, str]:
    choices = {}
    for name, kind in node.mapping().items():
        choices[name] = kind.text()
        if choices[name] not in _KINDS:
            raise kind.error(f"a voice is {' or '.join(_KINDS)}, not “{choices[name]}”.")
    return choices


def load(folder: Path) -> LanguagePack:
    """Read intents/<language>; IntentDataError names file and line of a mistake."""
    pack = LanguagePack(
        prompts.load(folder / "prompts.yaml"),
        routines.load(folder / "routines"),
        red_flags.load(folder / "red_flags.yaml"),
        ui_text.load(folder / "pages.yaml"),
        voices(folder).choices,
    )
    for position in (*POSITIONS, HELPER):
        if position not in pack.prompts.positions:
            raise RoutineError(
                f"{folder / 'prompts.yaml'}: the position “{position}” has no words in “positions”."
            )
    for routine in pack.routines.values():
        for name in routine.triage:
            if name not in pack.red_flags.questions:
                raise RoutineError(
                    f"{folder / 'routines' / routine.id}.yaml: unknown triage question “{name}”; "
                    "expected one of " + ", ".join(pack.red_flags.questions) + "."
                )
    return pack
