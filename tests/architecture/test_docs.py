"""The documentation shows what is: what can be generated is, links lead somewhere, commands parse.

CHARLEY_GOLDEN=write pytest tests/architecture/test_docs.py writes the generated blocks again.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from dataclasses import fields
from functools import cache
from pathlib import Path

from assistant.dialogue.turn import State
from assistant.settings import Settings
from tests.dialogue.test_machine import SPOKEN, in_state
from tests.end_to_end.test_faults import FAULTS
from tests.support import ROOT, structure
from tests.support.stage import PACK

README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = (
    README,
    *(ROOT / f"{name}.md" for name in ("CONTRIBUTING", "CHANGELOG", "THIRD_PARTY")),
    *sorted(DOCS.glob("*.md")),
    *(ROOT / folder / "README.md" for folder in ("intents", "intents/de", "models")),
)
ARCHITECTURE, FAULT_PAGE, SETTINGS_PAGE = (
    DOCS / f"{name}.md" for name in ("architecture", "faults", "settings")
)
LONGEST_README = 120
"""Lines."""
EVERYWHERE = {"redflag", "help", "control_stop", "control_pause", "stitch", "cramp"}
"""What leads away from almost every state, and would hide the rest."""
MOST_LABELS = 3


# --- What is generated ---------------------------------------------------------------------------


def block(page: Path, name: str) -> str:
    """Return what stands between the marks of a name."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", page.read_text("utf-8"), re.S)
    assert found, f"{page.name} has no block {name}"
    return found[1]


def rewrite(page: Path, name: str, text: str) -> None:
    """Put a text between the marks of a name, if that was asked for."""
    if os.environ.get("CHARLEY_GOLDEN") == "write":
        marks = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        whole = page.read_text("utf-8")
        whole = re.sub(marks, lambda found: found[1] + text + found[2], whole, flags=re.S)
        page.write_text(whole, "utf-8")


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
    source = (ROOT / "assistant" / "settings.py").read_text("utf-8")
    rows = []
    for field in fields(Settings):
        doc = re.search(rf'    {field.name}: [^\n]*\n    """(.*?)"""', source, re.S)
        assert doc, f"{field.name} has no doc"
        shown = "the best there is" if field.default is None else f"`{str(field.default).lower()}`"
        rows.append(f"| `{field.name}` | {shown} | {' '.join(doc[1].split())} |\n")
    return "".join(rows)


def test_the_diagram_is_the_table() -> None:
    rewrite(ARCHITECTURE, "diagram", drawn())
    assert block(ARCHITECTURE, "diagram") == drawn()


def test_the_settings_are_all_there() -> None:
    rewrite(SETTINGS_PAGE, "settings", settings_table())
    assert block(SETTINGS_PAGE, "settings") == settings_table()


def fault_table() -> str:
    """Return a row for each fault that a test provokes."""
    return "".join(fault.row for fault in FAULTS)


def test_the_faults_are_those_that_are_provoked() -> None:
    rewrite(FAULT_PAGE, "faults", fault_table())
    assert block(FAULT_PAGE, "faults") == fault_table()


def test_the_rooms_are_those_of_the_code() -> None:
    """The sizes in the block are of the day it was written; the rooms and their levels hold."""
    rewrite(ARCHITECTURE, "structure", "".join(f"{line}\n" for line in structure.report()))
    rows = re.findall(r"^\| (\d) \| (.+) \|$", block(ARCHITECTURE, "structure"), re.M)
    shown = {int(number): set(re.findall(r"`(\w+)`", names)) for number, names in rows}
    assert shown == {number: set(rooms) for number, rooms in enumerate(structure.LEVELS, 1)}


def test_every_red_flag_is_named() -> None:
    text = (DOCS / "safety.md").read_text("utf-8")
    assert text.count("\n| ") > len(PACK.red_flags.flags)


# --- The README ----------------------------------------------------------------------------------


def test_every_muscle_is_named() -> None:
    text = " ".join(README.read_text("utf-8").lower().split())
    for routine in PACK.routines.values():
        assert routine.name in text or routine.muscle.replace("_", " ") in text


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    text = README.read_text("utf-8")
    assert len(text.splitlines()) <= LONGEST_README
    pages = {path.relative_to(ROOT).as_posix() for path in (*DOCS.glob("*.md"), *PAGES[1:4])}
    assert pages <= {target.partition("#")[0] for target in links(README)}


# --- Links ---------------------------------------------------------------------------------------


@cache
def prose(page: Path) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r"^( *)```.*?^\1```$", "", page.read_text("utf-8"), flags=re.S | re.M)


def links(page: Path) -> list[str]:
    """Return the targets of a page's links and pictures within the project."""
    found = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    return [target for target in found if not re.match(r"\w+://", target)]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
