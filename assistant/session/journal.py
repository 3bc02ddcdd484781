"""A conversation kept as JSON lines: what happened and what Charley did about it, no sound.

One line an event and one line an action, each with the session's time, so that a conversation can
be read, compared and played again. The line that starts a session gives the conditions under which
it ran. What people said is left out unless they asked to keep it.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Self, TextIO, get_args, get_origin, get_type_hints

from assistant.dialogue.actions import Action
from assistant.dialogue.events import Event, Started
from assistant.dialogue.state import CoachingOptions, DialogueState
from assistant.errors import JournalError, SettingsError
from assistant.settings import checked_value

_EVENTS = {kind.__name__: kind for kind in get_args(Event)}
_ACTIONS = {kind.__name__: kind for kind in get_args(Action)}
_TRANSCRIPTS = ("UtteranceHeard", "UtteranceMissed")
_RENAMED: Mapping[str, Mapping[str, str]] = {
    kind: {"hold_seconds": "hold_position_seconds"}
    for kind in ("UtteranceHeard", "DeviceFound", "Suspended")
}
"""Class name to the fields that older journals name otherwise: old name to new."""

_LARGEST_FILE_BYTES = 200_000_000
_LATEST_SECONDS = 1e9
"""Of a session: thirty years."""
_STARTS = frozenset({"pace", "volume", "changed_options"})
"""What a session begins with besides the usual state: what can be set."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What decided a session besides its events; without it, the session cannot be replayed."""

    began: str = ""
    """Date and time of day, in ISO 8601; empty if it was not kept."""
    language: str = "en"
    """A folder of intents/."""
    coaching: CoachingOptions = field(default_factory=CoachingOptions)
    start: DialogueState = field(default_factory=DialogueState)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a journal."""

    at: float
    """Seconds since the session began."""
    what: Event | Action
    line: int = field(default=0, compare=False)
    """Its line number in the file, from 1."""
    conditions: Conditions | None = None
    """With Started: the session's conditions, if kept."""


def encode(
    at: float,
    what: Event | Action,
    *,
    with_text: bool = True,
    conditions: Conditions | None = None,
) -> str:
    """Return one line of a journal, without its line end; `with_text` keeps what was said."""
    name = type(what).__name__
    entry: dict[str, Any] = {"at": at, ("event" if name in _EVENTS else "action"): name}
    entry |= {field.name: _plain(getattr(what, field.name)) for field in fields(what)}
    if not with_text and name in _TRANSCRIPTS:
        del entry["text"]
    if conditions is not None:
        entry["conditions"] = _written(conditions)
    return json.dumps(entry)


def _written(conditions: Conditions) -> dict[str, Any]:
    """Return conditions as JSON; of the start, only what differs from the default."""
    usual, start = DialogueState(), conditions.start
    changed = [f.name for f in fields(start) if getattr(start, f.name) != getattr(usual, f.name)]
    return {
        "began": conditions.began,
        "language": conditions.language,
        "coaching": _plain(conditions.coaching),
        "start": {name: _plain(getattr(start, name)) for name in changed},
    }


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

    A new file can be read by its owner only. A file that cannot be opened, or that another Charley
    is writing, is a JournalError. A disk that fails later must not end a conversation: `warn` gets
    one sentence, once, and nothing more is written.
    """

    def __init__(
        self,
        path: Path,
        with_text: bool = False,
        warn: Callable[[str], None] = lambda _sentence: None,
        conditions: Conditions | None = None,
    ) -> None:
        """Append to the file; each session in it begins with Started."""
        self._path = path
        self._conditions = conditions
        self._with_text = with_text
        self._warn = warn
        try:
            self._file: TextIO | None = _opened(path)
        except OSError as error:
            raise JournalError(
                f"The journal {path} cannot be written ({error.strerror or error}); "
                "give another file."
            ) from None

    def write(self, event: Event, actions: tuple[Action, ...]) -> None:
        """Write an event and what was done about it; this is a session's `watch`."""
        if self._file is None:
            return
        conditions = self._conditions if isinstance(event, Started) else None
        lines = [encode(event.at, event, with_text=self._with_text, conditions=conditions)]
        lines += [encode(event.at, action) for action in actions]
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

    def __exit__(self, *_raised: object) -> None:
        """Close the file whatever happened."""
        self.close()


def _opened(path: Path) -> TextIO:
    """Open a journal to go on behind what it holds. Raises OSError."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags, 0o600)
    try:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            _lock(handle)
            _end_torn_line(handle)
        return os.fdopen(handle, "a", encoding="utf-8", newline="\n")
    except OSError:
        os.close(handle)
        raise


def _lock(handle: int) -> None:
    """Keep other programs from mixing their lines in, until the file is closed. Raises OSError."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OSError(error.errno, "another Charley is writing it") from None
    except OSError:
        return  # a disk without locks


def _end_torn_line(handle: int) -> None:
    """Begin a new line if the last one was cut short, as when the power failed. OSError."""
    if os.fstat(handle).st_size:
        os.lseek(handle, -1, os.SEEK_END)
        if os.read(handle, 1) != b"\n":
            os.write(handle, b"\n")


# --- Reading -------------------------------------------------------------------------------------


def read(path: Path, note: Callable[[str], None] = lambda _sentence: None) -> tuple[Entry, ...]:
    """Return the lines of a journal; JournalError names file and line of a mistake.

    A line that was cut short at the end of a session, as when the power failed, is left out with
    the rest of its turn; `note` is told, in a sentence.
    """
    lines = _text(path).split("\n")
    entries: list[Entry] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entries.append(_entry(line, number))
        except _NotJson as error:
            if not entries or not _ends_session(lines[number:]):
                raise JournalError(f"{path}, line {number}: {error}.") from None
            _leave_out_turn(entries, line)
            note(f"{path}, line {number}, was cut short and is left out with its turn.")
        except (ValueError, RecursionError) as error:
            raise JournalError(f"{path}, line {number}: {error}.") from None
    return tuple(entries)


class _NotJson(ValueError):
    """A line is no JSON at all."""


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise JournalError(
            f"The journal {path} cannot be read ({error.strerror or error})."
        ) from None
    if len(data) > _LARGEST_FILE_BYTES:
        raise JournalError(f"{path} is far too large for a journal.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise JournalError(f"{path} is not a journal: it is not UTF-8 text.") from None


def _ends_session(following: list[str]) -> bool:
    """Return whether a session ends before these lines: with the file, or as another begins."""
    line = next((line for line in following if line.strip()), "")
    if not line:
        return True
    with contextlib.suppress(ValueError, RecursionError):
        return isinstance(_entry(line, 0).what, Started)
    return False


def _leave_out_turn(entries: list[Entry], torn: str) -> None:
    """Drop the last event and its actions, unless the torn line is the next event itself."""
    if '"event"' in torn:
        return
    while entries and type(entries.pop().what).__name__ not in _EVENTS:
        pass


def _entry(line: str, number: int) -> Entry:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        raise _NotJson("this is not JSON, or it is cut short") from None
    at = _converted(float, values.get("at")) if isinstance(values, dict) else None
    if at is None or not 0 <= at <= _LATEST_SECONDS:
        raise ValueError('expected an object with a time in seconds as "at"')
    for key, kinds in (("event", _EVENTS), ("action", _ACTIONS)):
        if key in values:
            kind = kinds.get(str(values.pop(key)))
            if kind is None:
                raise ValueError(f"unknown {key}; expected one of {', '.join(kinds)}")
            began = values.pop("conditions", None) if kind is Started else None
            conditions = None if began is None else _conditions(began)
            return Entry(at, _made(kind, values), number, conditions)
    raise ValueError('neither "event" nor "action" is named')


def _made(kind: Any, values: dict[str, Any]) -> Any:
    """Return an event or action from its fields.

    A transcript that was not kept is empty; what an older Charley did not write has its default.
    """
    if kind.__name__ in _TRANSCRIPTS:
        values.setdefault("text", "")
    renamed = _RENAMED.get(kind.__name__, {})
    values = {renamed.get(name, name): value for name, value in values.items()}
    hints = _hints(kind)
    given = {name: value for name, value in values.items() if name in hints}
    unknown = values.keys() - given.keys() - {"at"}
    missing = _needed(kind) - given.keys()
    if unknown or missing:
        odd, what = (sorted(unknown), "unknown") if unknown else (sorted(missing), "missing")
        raise ValueError(f"{kind.__name__}: {', '.join(odd)} {what}")
    return kind(**{name: _typed(hints[name], value, name) for name, value in given.items()})


def _conditions(values: Any) -> Conditions:
    """Return conditions; what an older Charley did not write has its default."""
    known = _known(Conditions, values)
    coaching = CoachingOptions(**_typed_all(CoachingOptions, known.pop("coaching", {})))
    begun = known.pop("start", {})
    start = DialogueState(**_typed_all(DialogueState, begun))
    if begun.keys() - _STARTS or not 0.1 <= start.pace <= 10 or start.volume > 1:
        raise ValueError("the conditions name a start that cannot be")
    _check_coaching(coaching)
    _check_coaching(start.changed_options or coaching)
    names = {name: _typed(str, value, name) for name, value in known.items()}
    _check_set("language", names.get("language", "en"))
    return Conditions(**names, coaching=coaching, start=start)


def _check_coaching(options: CoachingOptions) -> None:
    """Refuse what nobody can set, and what no timeline could play. Raises ValueError."""
    if not 1 <= options.hold_seconds <= 60 or not 1 <= options.rounds <= 6:
        raise ValueError("the conditions name a hold or rounds that cannot be")
    _check_set("voice", options.voice or "en")


def _check_set(name: str, value: str) -> None:
    """Refuse what could not be set, such as a path as a language. Raises ValueError."""
    try:
        checked_value(name, value)
    except SettingsError as error:
        raise ValueError(f"the conditions cannot be: {str(error).rstrip('.')}") from None


def _typed_all(kind: Any, values: Any) -> dict[str, Any]:
    hints = _hints(kind)
    return {n: _typed(hints[n], value, n) for n, value in _known(kind, values).items()}


def _known(kind: Any, values: Any) -> dict[str, Any]:
    if not isinstance(values, dict) or values.keys() - _hints(kind).keys():
        raise ValueError("the conditions are not Charley's; was this written by a newer one?")
    return dict(values)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _needed(kind: Any) -> frozenset[str]:
    """Return the fields that have no default."""
    return frozenset(
        field.name
        for field in fields(kind)
        if field.default is MISSING and field.default_factory is MISSING
    )


def _typed(hint: Any, value: Any, name: str) -> Any:
    """Return a JSON value in the type that a field has, or raise ValueError."""
    found = _converted(hint, value)
    if found is None and value is not None:
        raise ValueError(f"“{name}” has a value of the wrong kind")
    if found is None and type(None) not in get_args(hint):
        raise ValueError(f"“{name}” has no value")
    if isinstance(found, int | float) and not 0 <= found <= _LATEST_SECONDS:
        raise ValueError(f"“{name}” has a value that cannot be")
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
        # A number of 400 digits is no float.
        return float(value) if fits and abs(value) <= _LATEST_SECONDS else None
    if issubclass(hint, Enum):
        return hint(value)
    return value if type(value) is hint else None
