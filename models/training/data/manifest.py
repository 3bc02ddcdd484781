"""Recordings as a folder's `manifest.jsonl` lists them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

Entry = dict[str, Any]
SPOKEN_IN = {  # folders of recordings whose name says what is spoken
    "precise/athena/en": "athena",
    "precise/amelia/en": "amelia",
    "precise/heysavant/wake-word": "hey savant",
    "precise/heychatterbox/en-us": "hey chatterbox",
    "precise/heycomputer/en": "hey computer",
    "precise/computer/en": "computer",
}


def read_manifest(folder: Path) -> Iterator[Entry]:
    """The entries of a folder's manifest, with whole paths and the text that a folder implies."""
    with (folder / "manifest.jsonl").open() as lines:
        for line in lines:
            entry: Entry = json.loads(line)
            for part, text in SPOKEN_IN.items():
                if entry["audio"].startswith(part):
                    entry["text"] = text
            if not entry["text"]:  # unverified; `realign` drops what does not match the sound
                entry["text"] = entry.get("text_guess") or ""
            yield entry | {"audio": str(folder / entry["audio"])}


def batched(entries: Iterable[Entry], size: int = 40) -> Iterator[list[Entry]]:
    """The entries in lists of a size, for one process each."""
    remaining = iter(entries)
    while batch := list(islice(remaining, size)):
        yield batch
