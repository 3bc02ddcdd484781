"""The text of a sentence template as a tree: the one place where hassil parses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise

from hassil.expression import (
    Alternative,
    Expression,
    Group,
    Permutation,
    RuleReference,
    TextChunk,
)
from hassil.parse_expression import parse_sentence
from hassil.parser import ParseError

from assistant.datafile import Node
from assistant.text import surface

_SPECIAL = frozenset("()[]{}<>|;\\")

_TOUCHING = re.compile(r"[^\s(\[|;][(\[<{]|[)\]>}][^\s)\]|;']")
"""Where half words may be glued together; without it the tree need not be looked at."""


def is_plain(text: str) -> bool:
    """Return True if a template is words and nothing else."""
    return not _SPECIAL & set(text)


def parse(text: str, node: Node) -> Expression:
    """Return the tree of a template; an IntentDataError names the node if it cannot be read."""
    try:
        if not text:
            raise ParseError("the sentence is empty")
        expression = parse_sentence(text).expression
    except (ParseError, AssertionError, IndexError, RecursionError) as error:
        raise node.error(f"cannot read the sentence “{text}”: {error}.") from None
    if _TOUCHING.search(text) and _glues(expression):
        raise node.error(f"“{text}” joins parts of words; put a space between them.")
    return expression


def texts(text: str, node: Node, rules: Mapping[str, Expression]) -> Iterable[str]:
    """Return each text that a small template stands for."""
    if is_plain(text):
        return (text,)
    return dict.fromkeys(surface(found) for found in _spread(parse(text, node), [""], rules))


def _spread(
    expression: Expression, before: list[str], rules: Mapping[str, Expression]
) -> list[str]:
    """Return every text of an expression after every text of `before`."""
    if isinstance(expression, TextChunk):
        return [text + expression.original_text for text in before]
    if isinstance(expression, RuleReference):
        return _spread(rules[expression.rule_name], before, rules)
    if isinstance(expression, Alternative):
        return [text for item in expression.items for text in _spread(item, before, rules)]
    for item in expression.items if isinstance(expression, Group) else ():
        before = _spread(item, before, rules)
    return before


def _glues(expression: Expression) -> bool:
    """Return True if half words are glued together: words are matched whole."""
    if not isinstance(expression, Group):
        return False
    if any(_glues(item) for item in expression.items):
        return True
    if isinstance(expression, (Alternative, Permutation)):
        return False
    return any(
        _edge(left, -1) - {" "} and _edge(right, 0) - {" ", "'"}
        for left, right in pairwise(expression.items)
    )


def _edge(expression: Expression, at: int) -> set[str]:
    """Return the characters that an expression may begin (0) or end (-1) with."""
    if isinstance(expression, TextChunk):
        return {expression.original_text[at]} if expression.original_text else set()
    if not isinstance(expression, Group):
        return {"x"}
    if isinstance(expression, Alternative):
        return {char for item in expression.items for char in _edge(item, at)}
    return _edge(expression.items[at], at) if expression.items else set()
