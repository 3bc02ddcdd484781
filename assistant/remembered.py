"""The little that Charley remembers from one session to the next."""

import json
from pathlib import Path

from assistant.atomic_file import write_whole
from assistant.paths import state_folder
from assistant.regular_file import read_regular

_LARGEST_FILE_BYTES = 1_000_000


def remember(name: str, value: str) -> bool:
    """Keep a fact for later sessions; False if the disk would not have it, which harms nothing."""
    facts = _facts() | {name: value}
    content = json.dumps(facts, indent=1, sort_keys=True).encode()
    file = _state_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, content, is_private=True)
    except OSError:
        return False
    return True


def recall(name: str) -> str | None:
    """Return what `remember` has kept under a name; None if nothing, or nothing readable."""
    return _facts().get(name)


def _facts() -> dict[str, str]:
    try:
        facts = json.loads(read_regular(_state_file(), _LARGEST_FILE_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(facts, dict):
        return {}
    return {name: value for name, value in facts.items() if isinstance(value, str)}


def _state_file() -> Path:
    return state_folder() / "state.json"
