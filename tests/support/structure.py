"""The rooms of `assistant/` and the arrows between them: `python -m tests.support.structure`.

Prints levels, arrows, rings and sizes as Markdown, as they stand in docs/architecture.md.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "assistant"

LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "clock", "atomic_file", "malloc", "regular_file"}),
    frozenset({"audio", "content", "paths"}),
    frozenset({"asr", "nlu", "tts", "dialogue", "remembered"}),
    frozenset({"speech_models", "playback", "settings"}),
    frozenset({"session"}),
    frozenset({"frontends", "exports"}),
    frozenset({"cli"}),
    frozenset({"__main__"}),
)
"""The rooms from the ground up; a room imports only from levels below its own."""

_SUPPRESSION = re.compile(r"#\s*(?:noqa|type:\s*ignore|pragma:\s*no)")


@cache
def modules() -> tuple[str, ...]:
    """Return the dotted names of all modules below `assistant`, such as "audio.pcm"."""
    paths = (path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.py"))
    return tuple(sorted(".".join(path.parts) for path in paths if path.stem != "__init__"))


def room(module: str) -> str:
    """Return the room of a module: its package, or the module itself at the top."""
    return module.split(".", maxsplit=1)[0]


def level(name: str) -> int:
    """Return the level of a room, from 1; KeyError if it stands in no level."""
    for number, rooms in enumerate(LEVELS, start=1):
        if name in rooms:
            return number
    raise KeyError(name)


@cache
def tree(module: str) -> ast.Module:
    """Return the syntax tree of a module."""
    path = PACKAGE.joinpath(*module.split(".")).with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imported(module: str) -> frozenset[str]:
    """Return the full names that a module imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively; write `from assistant.x import`"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


@cache
def own_imports(module: str) -> frozenset[str]:
    """Return the modules of `assistant` that a module imports."""
    names = {n.removeprefix("assistant.") for n in imported(module) if n.startswith("assistant.")}
    return frozenset(
        known for known in modules() if any(f"{name}.".startswith(f"{known}.") for name in names)
    )


def other_imports(module: str) -> frozenset[str]:
    """Return the top-level packages from outside that a module imports."""
    return frozenset(name.split(".")[0] for name in imported(module)) - {"assistant"}


def arrows() -> dict[tuple[str, str], int]:
    """Return the imports between rooms, as (from, to), with how many modules make each."""
    found = Counter(
        (room(module), target)
        for module in modules()
        for target in {room(needed) for needed in own_imports(module)}
        if target != room(module)
    )
    return dict(found)


def upward_arrows() -> list[tuple[str, str]]:
    """Return the arrows that do not lead to a lower level."""
    return sorted((a, b) for a, b in arrows() if level(b) >= level(a))


def ring(imports: Mapping[str, frozenset[str]]) -> list[str]:
    """Return the names that import each other in a ring, with all that stand above it."""
    left = {name: needed & imports.keys() for name, needed in imports.items()}
    while left:
        free = {name for name, needed in left.items() if not needed & left.keys()}
        if not free:
            return sorted(left)
        left = {name: needed for name, needed in left.items() if name not in free}
    return []


def file_ring() -> list[str]:
    """Return the modules that import each other in a ring."""
    return ring({module: own_imports(module) for module in modules()})


def room_ring() -> list[str]:
    """Return the rooms that import each other in a ring."""
    rooms = {room(module) for module in modules()}
    return ring({name: frozenset(b for a, b in arrows() if a == name) for name in rooms})


def function_lengths() -> list[tuple[int, str]]:
    """Return the lines of every function, docstring included, longest first, with its name."""
    lengths = [
        (1 + (node.end_lineno or node.lineno) - node.lineno, f"{module}.{node.name}")
        for module in modules()
        for node in ast.walk(tree(module))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return sorted(lengths, reverse=True)


def suppressions() -> dict[str, int]:
    """Return how many `noqa` and `type: ignore` comments each folder of code holds."""
    return {
        folder: sum(
            len(_SUPPRESSION.findall(path.read_text(encoding="utf-8")))
            for path in (ROOT / folder).rglob("*.py")
        )
        for folder in ("assistant", "bench", "models", "tests")
    }


def report() -> Iterator[str]:
    """Yield the structure as lines of Markdown."""
    yield "| level | rooms |"
    yield "|---|---|"
    sizes = Counter(room(module) for module in modules())
    for number, rooms in reversed(list(enumerate(LEVELS, start=1))):
        names = (f"`{name}`" + (f" ({sizes[name]})" if sizes[name] > 1 else "") for name in rooms)
        yield f"| {number} | {', '.join(sorted(names))} |"
    yield ""
    yield "In brackets: modules of a package."
    yield ""
    lengths = function_lengths()
    longest, where = lengths[0]
    marks = ", ".join(f"{count} in `{folder}/`" for folder, count in suppressions().items())
    yield f"- {len(LEVELS)} levels, {len(arrows())} arrows between rooms"
    yield f"- arrows upwards: {upward_arrows() or 'none'}"
    yield f"- rings: {sorted({*file_ring(), *room_ring()}) or 'none'}"
    yield (
        f"- {len(lengths)} functions: median {median(n for n, _ in lengths):g} lines, "
        f"{sum(n > 40 for n, _ in lengths)} above 40, longest {longest} (`{where}`)"
    )
    yield f"- suppressions: {marks}"


if __name__ == "__main__":
    print("\n".join(report()))
