"""The README shows what is: its diagram is drawn from the table, its settings from the code.

CHARLEY_GOLDEN=write pytest tests/architecture/test_readme.py draws both anew.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from dataclasses import fields

from assistant.dialogue.turn import State
from assistant.settings import Settings
from tests.dialogue.test_machine import SPOKEN, in_state
from tests.end_to_end.test_faults import FAULTS
from tests.support import ROOT
from tests.support.stage import PACK

README = ROOT / "README.md"
EVERYWHERE = {"redflag", "help", "control_stop", "control_pause", "stitch", "cramp"}
"""What leads away from almost every state, and would hide the rest."""
MOST_LABELS = 3


def block(name: str) -> str:
    """Return what stands between the marks of a name."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", README.read_text("utf-8"), re.S)
    assert found, f"README.md has no block {name}"
    return found[1]


def rewrite(name: str, text: str) -> None:
    """Put a text between the marks of a name, if that was asked for."""
    if os.environ.get("CHARLEY_GOLDEN") == "write":
        marks = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        whole = README.read_text("utf-8")
        whole = re.sub(marks, lambda found: found[1] + text + found[2], whole, flags=re.S)
        README.write_text(whole, "utf-8")


def edges() -> dict[tuple[State, State], list[str]]:
    """Return which meanings, silences and ends lead from state to state."""
    found: dict[tuple[State, State], list[str]] = defaultdict(list)
    for state in State:
        for meaning in SPOKEN:
            if meaning in EVERYWHERE and not (state is State.IDLE and meaning == "cramp"):
                continue
            stage = in_state(state)
            slots = {"muscle": "calf"} if meaning == "cramp" else {}
            stage.says(meaning, **slots)
            if stage.state is not state:
                found[state, stage.state].append(meaning.removeprefix("control_"))
    for state in (State.GUIDING, State.HOLDING, State.RESTING, State.EASING):
        stage = in_state(state)
        while stage.state is state:
            stage.play.run_next(float("inf"))
        found[state, stage.state].insert(0, "in time")
    return found


def drawn() -> str:
    """Return the state diagram in Mermaid."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> idle"]
    for (start, end), meanings in sorted(edges().items()):
        more = ", …" if len(meanings) > MOST_LABELS else ""
        label = ", ".join(meaning.replace("_", " ") for meaning in meanings[:MOST_LABELS])
        lines.append(f"    {start.value} --> {end.value}: {label}{more}")
    lines.append("    warned --> offering: im okay")
    return "\n".join([*dict.fromkeys(lines), "```", ""])


def settings_table() -> str:
    """Return a row for each setting, with the first sentence of its doc."""
    source = (README.parent / "assistant" / "settings.py").read_text("utf-8")
    rows = []
    for field in fields(Settings):
        doc = re.search(rf'    {field.name}: [^\n]*\n    """(.*?)"""', source, re.S)
        assert doc, f"{field.name} has no doc"
        shown = "the best there is" if field.default is None else f"`{str(field.default).lower()}`"
        rows.append(f"| `{field.name}` | {shown} | {' '.join(doc[1].split())} |\n")
    return "".join(rows)


def test_the_diagram_is_the_table() -> None:
    rewrite("diagram", drawn())
    assert block("diagram") == drawn()


def test_the_settings_are_all_there() -> None:
    rewrite("settings", settings_table())
    assert block("settings") == settings_table()


def fault_table() -> str:
    """Return a row for each fault that a test provokes."""
    return "".join(fault.row for fault in FAULTS)


def test_the_faults_are_those_that_are_provoked() -> None:
    rewrite("faults", fault_table())
    assert block("faults") == fault_table()


def test_every_muscle_is_named() -> None:
    text = README.read_text("utf-8").lower()
    for routine in PACK.routines.values():
        assert routine.name in text or routine.muscle.replace("_", " ") in text
