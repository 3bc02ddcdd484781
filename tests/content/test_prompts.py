"""The table of prompts that every language must have is what the rules of the dialogue ask for."""

from __future__ import annotations

import ast
import re

from assistant.content import prompts
from tests.support import ROOT


def named_keys() -> set[str]:
    """Return the texts in the code that look like the key of a prompt."""
    groups = {key.partition(".")[0] for key in prompts.KEYS if "." in key}
    shape = re.compile(rf"(?:{'|'.join(groups)})\.[a-z_]+")
    found = set()
    for path in (ROOT / "assistant").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and shape.fullmatch(str(node.value)):
                found.add(str(node.value))
    return found


def test_the_table_of_prompts_is_what_the_rules_ask_for() -> None:
    made_up = ("ask.", "answer.", "change.")  # these are put together from slots
    fixed = {key for key in prompts.KEYS if "." in key and not key.startswith(made_up)}
    assert {key for key in named_keys() if not key.startswith(made_up)} == fixed
