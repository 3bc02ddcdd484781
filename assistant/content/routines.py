"""Routines as data: which muscle, in which positions, with which lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assistant.content import yaml_source
from assistant.content.prompts import Line, checked
from assistant.errors import RoutineError

POSITIONS = ("standing", "sitting", "chair", "cant_stand", "lying", "bed")
"""Every position that a person can be in; each routine must serve them all, or be the nearest."""

HELPER = "helper"
"""Somebody else moves the leg; a routine may have a version for it."""

_ROUTINE_KEYS = frozenset(
    {"muscle", "both", "toes", "on_foot", "name", "opposite", "source", "triage", "versions"}
)
_VERSION_KEYS = frozenset({"serves", "nearest", "hold_seconds", "steps", "cue", "again", "release"})
_HOLD_RANGE = (5, 60)
"""Shortest and longest hold, in seconds."""


@dataclass(frozen=True, slots=True)
class Version:
    """A routine in one position."""

    name: str
    serves: tuple[str, ...]
    """The positions of the person that it is right for."""
    nearest: tuple[str, ...]
    """The positions that have no version of their own, for which it is the nearest safe one."""
    steps: tuple[Line, ...]
    """Spoken one at a time before the hold."""
    cue: Line
    """Spoken right before the first count."""
    again: Line
    """The short cue of the later rounds."""
    release: Line
    """Spoken after the last count."""
    hold_seconds: int | None = None
    """Counts of its hold; None for the usual ones."""


@dataclass(frozen=True, slots=True)
class Routine:
    """How one muscle is talked through."""

    id: str
    """The file's name without its ending."""
    muscle: str
    """Value of the slot `muscle`."""
    both: bool
    """True if it is for both sides at once."""
    on_foot: bool
    """False for a muscle on which nobody stands or runs, such as an arm's."""
    toes: str
    """Value of the slot `toes` that it is for; empty for none."""
    name: str
    """The muscle as spoken."""
    opposite: str
    """The muscle that works, as spoken."""
    triage: tuple[str, ...]
    """Safety questions to ask before it starts."""
    versions: tuple[Version, ...]

    def version(self, position: str) -> Version:
        """Return the version for a position of the person, the nearest safe one if it has none."""
        fits = (v for v in self.versions if position in (*v.serves, *v.nearest))
        return next(fits, self.versions[-1])

    def other(self, version: Version) -> Version | None:
        """Return the version to try when this one has not helped; None if there is none.

        Nobody is told to stand up for it, and a helper must be named first.
        """
        order = self.versions[self.versions.index(version) + 1 :] + self.versions
        alone = (v for v in order if v.serves not in (("standing",), (HELPER,)))
        return next((v for v in alone if v != version), None)

    def lines(self) -> tuple[Line, ...]:
        """Return every line that it can speak."""
        return tuple(line for v in self.versions for line in (*v.steps, v.cue, v.again, v.release))


def load(folder: Path) -> dict[str, Routine]:
    """Read every routine of a folder; IntentDataError names file and line of a mistake."""
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise RoutineError(f"{folder}: holds no routine; put the intents folder back.")
    return {path.stem: _routine(path) for path in paths}


def find(routines: Mapping[str, Routine], muscle: str, *, both: bool, toes: str) -> Routine | None:
    """Return the routine for what the person named, the nearest if both sides have none."""
    named = [r for r in routines.values() if r.muscle == muscle]
    for wanted in ((both, toes), (False, toes), (False, "")):
        for routine in named:
            if (routine.both, routine.toes) == wanted:
                return routine
    return None


def _routine(path: Path) -> Routine:
    root = yaml_source.read(path)
    entries = root.mapping(_ROUTINE_KEYS)
    root.need("source")
    versions = tuple(
        _version(path.stem, name, node) for name, node in root.need("versions").mapping().items()
    )
    _check_positions(root.need("versions"), versions)
    return Routine(
        id=path.stem,
        muscle=root.need("muscle").text(),
        both="both" in entries and entries["both"].flag(),
        on_foot="on_foot" not in entries or entries["on_foot"].flag(),
        toes=entries["toes"].text() if "toes" in entries else "",
        name=root.need("name").text(),
        opposite=root.need("opposite").text(),
        triage=entries["triage"].texts() if "triage" in entries else (),
        versions=versions,
    )


def _version(routine: str, name: str, node: yaml_source.Node) -> Version:
    node.mapping(_VERSION_KEYS)
    prefix = f"{routine}.{name}"

    def line(key: str) -> Line:
        return Line(f"{prefix}.{key}", checked(node.need(key)))

    steps = tuple(
        Line(f"{prefix}.{n}", checked(item))
        for n, item in enumerate(node.need("steps").items(), start=1)
    )
    if not steps:
        raise node.error("a version needs at least one step.")
    serves = node.need("serves").texts()
    nearest = node.need("nearest").texts() if "nearest" in node.mapping() else ()
    lines = (line("cue"), line("again"), line("release"))
    return Version(name, serves, nearest, steps, *lines, hold_seconds=_hold_seconds(node))


def _hold_seconds(node: yaml_source.Node) -> int | None:
    if "hold_seconds" not in node.mapping():
        return None
    entry, (low, high) = node.need("hold_seconds"), _HOLD_RANGE
    text = entry.text()
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise entry.error(f"hold_seconds “{text}” must be a whole number from {low} to {high}.")
    return int(text)


def _check_positions(node: yaml_source.Node, versions: tuple[Version, ...]) -> None:
    served = [position for v in versions for position in (*v.serves, *v.nearest)]
    for position in served:
        if position not in (*POSITIONS, HELPER):
            raise node.error(f"unknown position “{position}”; expected one of {POSITIONS}.")
        if served.count(position) > 1:
            raise node.error(f"the position “{position}” is served twice.")
    missing = [position for position in POSITIONS if position not in served]
    if missing:
        raise node.error(f"no version serves {', '.join(missing)}.")
