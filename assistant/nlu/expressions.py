"""The text of a sentence template as a tree: the one place where hassil parses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import pairwise, permutations
from math import factorial, prod

from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    Sequence,
    TextChunk,
)
from hassil.parse_expression import parse_sentence
from hassil.parser import ParseError

from assistant.content.yaml_source import Node
from assistant.nlu.normalise import surface

_SPECIAL = frozenset("()[]{}<>|;\\")

_OPTIONS = re.compile(r"\([^()\[\]{}<>;\\]+\)|\[[^()\[\]{}<>;\\]+\]")
"""A choice among plain words, in round or square brackets."""

_ASIDE = "="
"""Begins the name of no rule; marks a choice that was set aside."""

_TOUCHING = re.compile(r"[^\s(\[|;][(\[<{]|[)\]>}][^\s)\]|;']")
"""Where parts of words may be joined; without it the tree need not be looked at."""


def is_plain(text: str) -> bool:
    """Return True if a template is words and nothing else."""
    return not _SPECIAL & set(text)


def parse(text: str, node: Node) -> Expression:
    """Return the tree of a template; an IntentDataError names the node if it cannot be read."""
    try:
        if not text:
            raise ParseError("the sentence is empty")
        expression = tree(text)
    except (ParseError, AssertionError, IndexError, RecursionError) as error:
        raise node.error(f"cannot read the sentence “{text}”: {error}.") from None
    if _TOUCHING.search(text) and _joins_words(expression):
        raise node.error(f"“{text}” joins parts of words; put a space between them.")
    return expression


@cache
def tree(text: str) -> Expression:
    """Return the tree of a template that was parsed before, and is not plain.

    Lists of plain options are set aside while hassil parses: they are most of the text, and it
    reads letter by letter.
    """
    aside: list[Expression] = []

    def set_aside(found: re.Match[str]) -> str:
        options = found[0][1:-1].split("|")
        if not all(option.strip() for option in options):
            return found[0]  # hassil reports what is wrong
        aside.append(_choice(options, optional=found[0][0] == "["))
        return f"<{_ASIDE}{len(aside) - 1}>"

    expression = parse_sentence(_OPTIONS.sub(set_aside, text)).expression
    _restore(expression, aside)
    return expression


def _choice(options: list[str], *, optional: bool) -> Expression:
    """Return the tree that hassil makes of plain options."""
    rows: list[Expression] = [Sequence([TextChunk(option, option)]) for option in options]
    if optional:
        return Alternative([*rows, TextChunk()], is_optional=True)
    return Alternative(rows) if len(rows) > 1 else rows[0]


def _restore(expression: Expression, aside: list[Expression]) -> None:
    """Replace the marks by the lists of options that were set aside."""
    if not isinstance(expression, Group):
        return
    for at, item in enumerate(expression.items):
        if isinstance(item, RuleReference) and item.rule_name.startswith(_ASIDE):
            expression.items[at] = aside[int(item.rule_name[1:])]
        else:
            _restore(item, aside)


def texts(text: str, node: Node, rules: Mapping[str, str]) -> Iterable[str]:
    """Return each text that a small template stands for."""
    if is_plain(text):
        return (text,)
    return dict.fromkeys(surface(found) for found in _spread(parse(text, node), [""], rules))


def count(expression: Expression, rules: Mapping[str, str]) -> int:
    """Return how many sentences `spread` would return; a list counts once."""
    if isinstance(expression, RuleReference):
        return count(tree(rules[expression.rule_name]), rules)
    if not isinstance(expression, Group):
        return 1
    counts = [count(item, rules) for item in expression.items]
    if isinstance(expression, Alternative):
        return sum(counts)
    return prod(counts) * (factorial(len(counts)) if isinstance(expression, Permutation) else 1)


def spread(expression: Expression, rules: Mapping[str, str]) -> tuple[str, ...]:
    """Return every sentence of an expression once; a list stays {name}. `count` them first."""
    found = (" ".join(text.split()) for text in _spread(expression, [""], rules))
    return tuple(dict.fromkeys(text for text in found if text))


def simplest(expression: Expression, rules: Mapping[str, str]) -> str:
    """Return a short sentence of an expression that holds each of its {lists} once."""
    parts: list[str] = []
    for part in _simplest(expression, rules).split():
        if part not in parts or not part.startswith("{"):
            parts.append(part)
    return " ".join(parts).replace(" '", "'")


def _simplest(expression: Expression, rules: Mapping[str, str]) -> str:
    if isinstance(expression, TextChunk):
        return expression.original_text.replace("'s", " 's")
    if isinstance(expression, ListReference):
        return f" {{{expression.list_name}}} "
    if isinstance(expression, RuleReference):
        return _simplest(tree(rules[expression.rule_name]), rules)
    items = expression.items if isinstance(expression, Group) else []
    found = [_simplest(item, rules) for item in items]
    if isinstance(expression, Alternative):
        return _simplest_choice(found, optional=expression.is_optional)
    return "".join(found)


def _simplest_choice(options: list[str], *, optional: bool) -> str:
    """Return all options with a {list}; without one the first, or nothing if that is allowed."""
    with_lists = [text for text in options if "{" in text]
    if with_lists:
        return " ".join(with_lists)
    return "" if optional else options[0]


def _spread(expression: Expression, before: list[str], rules: Mapping[str, str]) -> list[str]:
    """Return every text of an expression after every text of `before`."""
    if isinstance(expression, RuleReference):
        return _spread(tree(rules[expression.rule_name]), before, rules)
    if isinstance(expression, Alternative):
        return [text for item in expression.items for text in _spread(item, before, rules)]
    if isinstance(expression, Permutation):
        orders = permutations(expression.items)
        return [text for order in orders for text in _in_turn(order, before, rules)]
    if isinstance(expression, Group):
        return _in_turn(expression.items, before, rules)
    return [text + _leaf(expression) for text in before]


def _leaf(expression: Expression) -> str:
    """Return a piece of text, or a {list}."""
    if isinstance(expression, ListReference):
        return f"{{{expression.list_name}}}"
    return expression.original_text if isinstance(expression, TextChunk) else ""


def _in_turn(items: Iterable[Expression], before: list[str], rules: Mapping[str, str]) -> list[str]:
    """Return every text of one item after the other, after every text of `before`."""
    for item in items:
        before = _spread(item, before, rules)
    return before


def _joins_words(expression: Expression) -> bool:
    """Return True if parts of words are joined: words are matched whole."""
    if not isinstance(expression, Group):
        return False
    if any(_joins_words(item) for item in expression.items):
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
