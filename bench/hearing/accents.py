"""Measure how well readers with another accent and children are heard: one of a list of sentences.

    python -m bench.hearing.accents SPEECH [--model FOLDER]... [--part test] [--every 3]

SPEECH is a folder of recordings whose manifest has texts and, for `speechocean762`, ages. The
speakers of both parts, "test" and "development", took no part in the training. Every second of
their sentences, up to the number wanted, is the grammar, with `[unk]` and without; the sentences
between are other speech, which should be heard as nothing. A sentence is right word for word, or if
it is the one that is most like what was heard. Words that a model lacks are added.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from assistant.paths import bundled_model_folder
from assistant.speech_models import extend
from assistant.speech_models.lexicon import Lexicon
from bench.hearing.corpus import padded
from bench.hearing.engines import Vosk
from models.training.data.features import load, part_of

SOURCE = "speechocean762"
GROWN = 13
"""Years; readers of this age or older count as adults here."""
ALIKE = 0.5
"""A sentence counts as heard from this share of matching words."""


@dataclass(frozen=True)
class Reading:
    """A sentence that somebody read."""

    path: Path
    text: str
    group: str


def readings(speech: Path, part: str) -> Iterator[Reading]:
    """Yield the sentences that speakers of a part read, each text once."""
    seen: set[str] = set()
    for line in (speech / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if entry["source"] == SOURCE and part_of(entry["speaker"]) == part:
            if entry["text"] not in seen:
                group = "adults" if entry["age"] >= GROWN else "children"
                yield Reading(speech / entry["audio"], entry["text"], group)
            seen.add(entry["text"])


def taught(folder: Path, texts: list[str], out: Path) -> Vosk:
    """Return a model of Charley's kind with the words of some texts."""
    words = {word: "" for text in texts for word in text.split()}
    built = extend.build(folder, words, Lexicon(), out, replace=True)
    return Vosk(folder.name, built.folder)


def heard(engine: Vosk, texts: list[str], rejection: float, said: list[Reading]) -> list[str]:
    """Return what is heard of each reading when some texts are the grammar.

    The recogniser gets a whole reading at once, for these readers pause inside their sentences,
    and its endpointer is measured elsewhere.
    """
    listener = engine.listener(texts, rejection)
    return [listener.hear(padded(load(reading.path)), whole=True) for reading in said]


def nearest(text: str, texts: list[str]) -> str:
    """Return the sentence that shares most words with what was heard; "" if fewer than half."""
    if not text:
        return ""
    words = text.split()
    near = [SequenceMatcher(None, words, other.split(), autojunk=False).ratio() for other in texts]
    best = max(range(len(texts)), key=near.__getitem__)
    return texts[best] if near[best] >= ALIKE else ""


def measure(
    engine: Vosk, texts: list[str], own: list[Reading], others: list[Reading]
) -> dict[str, float]:
    """Return the shares of own sentences right, and of others that are taken for one, in %."""
    figures: dict[str, float] = {}
    for name, rejection in (("[unk]", 0.0), ("no [unk]", float("-inf"))):
        words = heard(engine, texts, rejection, own)
        figures[f"{name}: word for word, %"] = share(
            [text == reading.text for text, reading in zip(words, own, strict=True)]
        )
        for group in ("adults", "children"):
            figures[f"{name}: the sentence, {group}, %"] = share(
                [
                    nearest(text, texts) == reading.text
                    for text, reading in zip(words, own, strict=True)
                    if reading.group == group
                ]
            )
        figures[f"{name}: the sentence, all, %"] = share(
            [nearest(text, texts) == reading.text for text, reading in zip(words, own, strict=True)]
        )
        strange = heard(engine, texts, rejection, others)
        figures[f"{name}: other sentences taken for one, %"] = share(
            [bool(nearest(text, texts)) for text in strange]
        )
    return figures


def share(marks: list[bool]) -> float:
    """Return the share of true values, in %."""
    return 100 * sum(marks) / max(1, len(marks))


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("speech", type=Path)
    parser.add_argument("--model", type=Path, action="append", help="several may be given")
    parser.add_argument("--part", default="test", choices=("test", "development"))
    parser.add_argument("--sentences", type=int, default=175, help="length of the grammar")
    parser.add_argument("--every", type=int, default=1, help="hear every nth only")
    options = parser.parse_args()
    read = list(readings(options.speech, options.part))
    own, others = read[::2][: options.sentences], read[1::2][: options.sentences]
    texts = [reading.text for reading in own]
    own, others = own[:: options.every], others[:: options.every]
    print(f"{len(own)} sentences and {len(others)} others, part: {options.part}")
    for folder in options.model or [bundled_model_folder()]:
        with tempfile.TemporaryDirectory() as built:
            engine = taught(folder, texts, Path(built) / "model")
            print(folder)
            for name, value in measure(engine, texts, own, others).items():
                print(f"  {name}: {value:.1f}")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
