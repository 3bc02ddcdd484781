"""All of intents/<language> but its sentences: what Charley says and shows, and who says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from assistant.content import homophones, prompts, red_flags, routines, ui_text, voices, yaml_source
from assistant.content.homophones import Homophones
from assistant.content.prompts import Line, Prompts, fill
from assistant.content.red_flags import RedFlags
from assistant.content.routines import HELPER, POSITIONS, Routine
from assistant.content.ui_text import UiText
from assistant.content.voices import Voices
from assistant.content.yaml_source import Node
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


@dataclass(frozen=True, slots=True)
class LanguagePack:
    """What Charley says and shows in one language, who says it, and which words sound alike."""

    prompts: Prompts
    routines: Mapping[str, Routine]
    """By the name of the file."""
    red_flags: RedFlags
    ui_text: UiText
    voices: Voices
    homophones: Homophones

    def is_on_foot(self, muscle: str) -> bool:
        """Return True unless it is a muscle on which nobody stands or runs, such as an arm's."""
        return all(r.on_foot for r in self.routines.values() if r.muscle == muscle)

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


def load(folder: Path) -> LanguagePack:
    """Read intents/<language>, each file once; IntentDataError names file and line of a mistake."""
    speech = _speech(folder)
    pack = LanguagePack(
        prompts.load(folder / "prompts.yaml"),
        routines.load(folder / "routines"),
        red_flags.load(folder / "red_flags.yaml"),
        ui_text.load(folder / "pages.yaml"),
        voices.parse(speech),
        homophones.parse(speech),
    )
    _check_positions(pack, folder)
    _check_triage(pack, folder)
    return pack


def _speech(folder: Path) -> Node:
    """Read speech.yaml, which names voices and what a recogniser confuses."""
    root = yaml_source.read(folder / "speech.yaml")
    root.mapping(_SPEECH_KEYS)
    return root


def _check_positions(pack: LanguagePack, folder: Path) -> None:
    for position in (*POSITIONS, HELPER):
        if position not in pack.prompts.positions:
            raise RoutineError(
                f"{folder / 'prompts.yaml'}: the position “{position}” has no words in “positions”."
            )


def _check_triage(pack: LanguagePack, folder: Path) -> None:
    for routine in pack.routines.values():
        for name in routine.triage:
            if name not in pack.red_flags.questions:
                raise RoutineError(
                    f"{folder / 'routines' / routine.id}.yaml: unknown triage question “{name}”; "
                    "expected one of " + ", ".join(pack.red_flags.questions) + "."
                )
