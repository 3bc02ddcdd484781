"""The documentation shows what is: what can be generated is, links lead somewhere, commands parse.

CHARLEY_GOLDEN=write pytest tests/architecture/test_docs.py writes the generated blocks again.
"""

from __future__ import annotations

import os
import re
import shlex
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import typer

from assistant.cli import app
from assistant.dialogue.state import State
from assistant.settings import Setting, Settings, settings_of
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
IS_WRITING = os.environ.get("CHARLEY_GOLDEN") == "write"
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
    if IS_WRITING:
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
    """Return a row for each setting."""
    return "".join(map(settings_row, settings_of(Settings).values()))


def settings_row(setting: Setting) -> str:
    """Return name, flag, values, default and meaning of a setting."""
    flag = f"`{setting.flag}`" if setting.has_flag else ""
    default = "" if setting.default is None else f"`{str(setting.default).lower()}`"
    cells = (f"`{setting.name}`", flag, setting.values, default, setting.about.doc)
    return f"| {' | '.join(cells)} |\n"


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
    if IS_WRITING:
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in links(page):
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target


# --- Names and commands --------------------------------------------------------------------------


@dataclass(frozen=True)
class Code:
    """A line of code in a page."""

    text: str
    is_whole: bool
    """True for a line of a block: it can be run as it is. False for words in a sentence."""


@cache
def code(page: Path) -> tuple[Code, ...]:
    """Return all that a page shows as code."""
    text = page.read_text("utf-8")
    blocks = re.findall(r"^( *)```(?:sh|)\n(.*?)^\1```$", text, re.S | re.M)
    lines = [line for _, block in blocks for line in block.replace("\\\n", " ").splitlines()]
    lines += re.findall(r"^ {4}(?=\S)(.+)$", prose(page), re.M)
    spans = re.findall(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)", prose(page))
    whole = [Code(line.strip(), is_whole=True) for line in lines]
    return (*whole, *(Code(" ".join(span.split()), is_whole=False) for span in spans))


def commands(page: Path) -> Iterator[tuple[list[str], Code]]:
    """Yield the words of every command of this project that a page shows."""
    for shown in code(page):
        for part in re.split(r" \| ", shown.text):
            try:
                words = shlex.split(part, comments=True)
            except ValueError:  # an apostrophe: this is no command
                continue
            words = [word for word in words if not re.match(r"[A-Z_]+=", word)]
            if words and re.fullmatch(r"charley|script/\w+|python3?|\.venv/bin/python", words[0]):
                yield words, shown


def source(module: str) -> Path:
    """Return the file of a module of this project; it need not exist."""
    path = ROOT.joinpath(*module.split("."))
    return path / "__main__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def program() -> typer.core.TyperGroup:
    """Return Charley's command line."""
    group = typer.main.get_command(app.app)
    assert isinstance(group, typer.core.TyperGroup)
    return group


def parse(words: list[str], *, is_whole: bool) -> None:
    """Let Charley's command line take words apart, and run nothing; files need not exist."""
    group = program()
    try:
        context = group.make_context("charley", list(words))
        while isinstance(group, typer.core.TyperGroup):
            left = [*context._protected_args, *context.args]
            if not left:
                return
            name, group, left = group.resolve_command(context, left)  # type: ignore[assignment]
            context = group.make_context(name, left, parent=context)
    except typer.Exit:  # --help, --version
        return
    except typer.TyperException as error:
        wrong = error.format_message()
        is_placeholder = "does not exist" in wrong or ("Missing" in wrong and not is_whole)
        assert is_placeholder, f"{' '.join(words)}: {wrong}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_parse(page: Path) -> None:
    for words, shown in commands(page):
        if words[0] == "charley" or words[0] == "script/run":
            parse(words[1:], is_whole=shown.is_whole)
            continue
        if words[0].startswith("script/"):
            path = ROOT / words[0]
        elif words[1:2] == ["-m"] and words[2].split(".")[0] in ("bench", "models", "tests"):
            path = source(words[2])
        else:
            continue
        assert path.is_file(), shown.text
        options = [word.partition("=")[0] for word in words if word.startswith("--")]
        if path.name != "test":  # pytest has flags of its own
            assert [word for word in options if word not in path.read_text("utf-8")] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_and_modules_that_are_named_exist(page: Path) -> None:
    for shown in code(page):
        word = shown.text.partition(" ")[0]
        if re.fullmatch(
            r"(assistant|bench|deploy|docs|intents|models|script|tests)/[\w./-]*", word
        ):
            assert (ROOT / word).exists(), word
        elif re.fullmatch(r"(bench|models|tests)(\.\w+)+", word) and not shown.is_whole:
            assert source(word).is_file() or source(word.rpartition(".")[0]).is_file(), word
