"""Read a YAML data file so that every mistake can be reported with its file and line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.errors import IntentDataError
from assistant.regular_file import read_regular

if TYPE_CHECKING:
    import yaml


_LARGEST_FILE_BYTES = 10_000_000
"""Of one data file: a hundred times the largest."""


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a YAML file that knows its file and line."""

    path: Path
    yaml_node: yaml.ScalarNode | yaml.SequenceNode | yaml.MappingNode

    @property
    def line(self) -> int:
        """Line number in the file, counted from 1."""
        return int(self.yaml_node.start_mark.line) + 1

    def error(self, message: str) -> IntentDataError:
        """Return an error that names file and line."""
        return IntentDataError(f"{self.path}, line {self.line}: {message}")

    def text(self) -> str:
        """Return this value as text; an IntentDataError if it is a list or a mapping."""
        if not self.is_text:
            raise self.error("expected a text, found a list or a mapping.")
        return str(self.yaml_node.value).strip()

    def flag(self) -> bool:
        """Return this value as true or false; an IntentDataError if it is neither."""
        text = self.text()
        if text not in ("true", "false"):
            raise self.error("expected true or false.")
        return text == "true"

    def items(self) -> tuple[Node, ...]:
        """Return the entries of a list; an IntentDataError if it is none."""
        if not self.is_list:
            raise self.error("expected a list, with a dash before each entry.")
        return tuple(Node(self.path, node) for node in self.yaml_node.value)

    @property
    def is_text(self) -> bool:
        """True if this value is a plain text."""
        return self.yaml_node.id == "scalar"

    @property
    def is_list(self) -> bool:
        """True if this value is a list."""
        return self.yaml_node.id == "sequence"

    @property
    def is_mapping(self) -> bool:
        """True if this value is a mapping."""
        return self.yaml_node.id == "mapping"

    def texts(self) -> tuple[str, ...]:
        """Return a list of texts, or a single text as a list of one."""
        return tuple(node.text() for node in self.items()) if self.is_list else (self.text(),)

    def mapping(self, allowed: frozenset[str] | None = None) -> dict[str, Node]:
        """Return the entries of a mapping; IntentDataError for a doubled or unexpected key."""
        if not self.is_mapping:
            raise self.error("expected a mapping such as `key: value`.")
        entries: dict[str, Node] = {}
        for key, value in self._pairs():
            name = key.text()
            if name in entries:
                raise key.error(f"the key “{name}” is there twice.")
            if allowed is not None and name not in allowed:
                raise key.error(f"unknown key “{name}”; expected {_one_of(allowed)}.")
            entries[name] = value
        return entries

    def _pairs(self) -> Iterator[tuple[Node, Node]]:
        for key, value in self.yaml_node.value:
            yield Node(self.path, key), Node(self.path, value)

    def need(self, key: str) -> Node:
        """Return the value of a key that must be there."""
        found = self.mapping().get(key)
        if found is None:
            raise self.error(f"the key “{key}” is missing.")
        return found


def read(path: Path) -> Node:
    """Read one YAML file; IntentDataError with file and line if it is missing or broken."""
    import yaml  # only here, so that a language that was read before needs no parser

    # libyaml reads all files of a language in 10 ms; PyYAML's own parser takes 100 ms and is the
    # only one in a browser.
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root: Any = yaml.compose(read_regular(path, _LARGEST_FILE_BYTES).decode(), Loader=loader)
    except OSError as error:
        raise IntentDataError(f"{path}: cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise IntentDataError(f"{path}: is not UTF-8 text; save it as UTF-8.") from error
    except yaml.YAMLError as error:
        raise _broken(path, error) from error
    if root is None:
        raise IntentDataError(f"{path}, line 1: the file is empty.")
    return Node(path, root)


def _broken(path: Path, error: yaml.YAMLError) -> IntentDataError:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else 1
    problem = getattr(error, "problem", None) or "is not valid YAML"
    return IntentDataError(f"{path}, line {line}: {problem}; check quotes, colons and indents.")


def _one_of(names: frozenset[str]) -> str:
    return "one of " + ", ".join(sorted(names))
