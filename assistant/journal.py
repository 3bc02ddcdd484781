"""A conversation kept as JSON lines: what happened and what Charley did about it, no sound.

One line an event and one line an action, each with the session's time, so that a conversation can
be read, compared and played again. What people said is left out unless they asked to keep it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from types import TracebackType, UnionType
from typing import Any, Self, TextIO, get_args, get_origin, get_type_hints

from assistant.actions import Action
from assistant.errors import JournalError
from assistant.events import Event

_EVENTS = {kind.__name__: kind for kind in get_args(Event)}
_ACTIONS = {kind.__name__: kind for kind in get_args(Action)}
_TRANSCRIPTS = ("UtteranceHeard", "UtteranceMissed")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a journal."""

    at: float
    """Seconds since the session began."""
    what: Event | Action


def encode(at: float, what: Event | Action, *, with_text: bool = True) -> str:
    """Return one line of a journal, without its line end; `with_text` keeps what was said."""
    name = type(what).__name__
    entry: dict[str, Any] = {"at": at, ("event" if name in _EVENTS else "action"): name}
    entry |= {field.name: _plain(getattr(what, field.name)) for field in fields(what)}
    if not with_text and name in _TRANSCRIPTS:
        del entry["text"]
    return json.dumps(entry)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    return sorted(value) if isinstance(value, frozenset) else value


class Journal:
    """A journal being written, line by line; a context manager.

    A file that cannot be opened is a JournalError. A disk that fails later must not end a
    conversation: `warn` is told once, in a sentence, and nothing more is written.
    """

    def __init__(
        self,
        path: Path,
        with_text: bool = False,
        warn: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        """Go on behind what the file holds; each session in it begins with Started."""
        self._path = path
        self._with_text = with_text
        self._warn = warn
        try:
            self._file: TextIO | None = path.open("a", encoding="utf-8", newline="\n")
        except OSError as error:
            raise JournalError(
                f"The journal {path} cannot be written ({error.strerror or error}); "
                "give another file."
            ) from None

    def write(self, event: Event, actions: tuple[Action, ...]) -> None:
        """Write an event and what was done about it; this is a session's `watch`."""
        if self._file is None:
            return
        lines = [encode(event.at, what, with_text=self._with_text) for what in (event, *actions)]
        try:
            self._file.write("".join(f"{line}\n" for line in lines))
            self._file.flush()
        except OSError as error:
            self._file = None
            self._warn(f"The journal {self._path} ends here ({error.strerror or error}).")

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file whatever happened."""
        self.close()


# --- Reading -------------------------------------------------------------------------------------


def read(path: Path) -> tuple[Entry, ...]:
    """Return the lines of a journal; JournalError names file and line of a mistake."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise JournalError(
            f"The journal {path} cannot be read ({error.strerror or error})."
        ) from None
    except UnicodeDecodeError:
        raise JournalError(f"{path} is no journal: it is not UTF-8 text.") from None
    entries = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            entries += [_entry(line)] if line.strip() else []
        except (ValueError, RecursionError) as error:
            raise JournalError(f"{path}, line {number}: {_reason(error)}.") from None
    return tuple(entries)


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError | RecursionError):
        return "this is not JSON, or it is cut short"
    return str(error)


def _entry(line: str) -> Entry:
    values = json.loads(line)
    at = _converted(float, values.get("at")) if isinstance(values, dict) else None
    if at is None:
        raise ValueError('expected an object with a time in seconds as "at"')
    for key, kinds in (("event", _EVENTS), ("action", _ACTIONS)):
        if key in values:
            kind = kinds.get(str(values.pop(key)))
            if kind is None:
                raise ValueError(f"unknown {key}; expected one of {', '.join(kinds)}")
            return Entry(at, _made(kind, values))
    raise ValueError('neither "event" nor "action" is named')


def _made(kind: Any, values: dict[str, Any]) -> Any:
    """Return an event or action from its fields; a transcript that was not kept is empty."""
    if kind.__name__ in _TRANSCRIPTS:
        values.setdefault("text", "")
    hints = _hints(kind)
    given = {name: value for name, value in values.items() if name in hints}
    unknown = values.keys() - given.keys() - {"at"}
    missing = hints.keys() - given.keys()
    if unknown or missing:
        odd, what = (sorted(unknown), "unknown") if unknown else (sorted(missing), "missing")
        raise ValueError(f"{kind.__name__}: {', '.join(odd)} {what}")
    return kind(**{name: _typed(hints[name], given[name], name) for name in hints})


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _typed(hint: Any, value: Any, name: str) -> Any:
    """Return a JSON value in the type that a field has, or raise ValueError."""
    found = _converted(hint, value)
    if found is None and value is not None:
        raise ValueError(f"“{name}” has a value of the wrong kind")
    if found is None and type(None) not in get_args(hint):
        raise ValueError(f"“{name}” has no value")
    return found


def _converted(hint: Any, value: Any) -> Any:
    """Return the value in its type; None if it does not fit."""
    origin = get_origin(hint)
    if origin is UnionType:
        return _converted(get_args(hint)[0], value) if value is not None else None
    if origin in (tuple, frozenset):
        fits = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return origin(value) if fits else None
    if origin is not None:  # a mapping of texts
        fits = isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
        return value if fits else None
    if is_dataclass(hint):
        return _made(hint, value) if isinstance(value, dict) else None
    return _simple(hint, value)


def _simple(hint: Any, value: Any) -> Any:
    if hint is float:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if fits else None
    if issubclass(hint, Enum):
        return hint(value)
    return value if type(value) is hint else None
