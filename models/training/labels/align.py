"""First frame labels: PocketSphinx aligns each transcript with its recording, phone by phone.

It fails on some; `models.training.labels.realign` gives every recording surer labels once there is
a network.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
from pocketsphinx import Decoder  # type: ignore[import-untyped, unused-ignore]

from assistant.speech_models.phones import INDEX, SILENCE
from models.training.data import word_list
from models.training.data.manifest import Entry, batched, read_manifest

EDGE = 20  # frames of hiss before and after a recording
UNPRUNED = {"beam": 0.0, "wbeam": 0.0, "pbeam": 0.0}
WIDE = {"beam": 1e-200, "wbeam": 1e-150, "pbeam": 1e-200}  # three times faster than the default
SHORT = 5.0  # seconds of a recording that is searched whole


def audio_bytes(path: Path) -> bytes:
    """A recording as 16-bit samples, with a little hiss before and after it."""
    samples, _ = soundfile.read(path, dtype="float32")
    padded = np.pad(np.clip(samples, -1, 1) * 32767, EDGE * 160)
    hiss = np.random.default_rng(1).normal(0, 4, len(padded))
    return bytes(np.clip(padded + hiss, -32768, 32767).astype("<i2").tobytes())


@cache
def guessed(word: str) -> tuple[str, ...]:
    """A word's phones by flite's letter-to-sound rules."""
    command = ["flite", "-voice", "kal", "-ps", "-t", word, "none"]
    phones = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    named = (phone.upper().replace("AX", "AH") for phone in phones if phone != "pau")
    return tuple(phone for phone in named if phone in INDEX)


def dictionary(words: Iterable[str]) -> str:
    """The lexicon of some words in PocketSphinx's format."""
    lines = []
    for word in words:
        for number, phones in enumerate(word_list.pronunciations(word) or (guessed(word),), 1):
            lines.append(f"{word}{f'({number})' if number > 1 else ''} {' '.join(phones)}")
    return "\n".join(lines) + "\n"


def aligned(decoder: Decoder, audio: bytes, text: str) -> list[tuple[str, int, int]]:
    """Phones with their start and length in frames of 10 ms; empty where alignment fails."""
    decoder.set_align_text(text)
    _decode(decoder, audio)
    if decoder.hyp() is None:
        return []
    decoder.set_alignment()
    _decode(decoder, audio)
    alignment = decoder.get_alignment()  # the decoder must outlive its words
    return [
        (phone.name if phone.name in INDEX else SILENCE, phone.start - EDGE, phone.duration)
        for word in alignment
        for phone in word
    ]


def _decode(decoder: Decoder, audio: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(audio, full_utt=True)
    decoder.end_utt()


def _align_batch(entries: list[Entry]) -> list[Entry]:
    words = sorted({word for entry in entries for word in entry["text"].split()})
    with tempfile.NamedTemporaryFile("w", suffix=".dict") as file:
        file.write(dictionary(words))
        file.flush()
        decoders = [
            Decoder(dict=file.name, lm=None, cmn="batch", loglevel="FATAL", **beams)
            for beams in (UNPRUNED, WIDE)
        ]
    done = []
    for entry in entries:
        decoder = decoders[entry["seconds"] > SHORT]
        try:
            phones = aligned(decoder, audio_bytes(Path(entry["audio"])), entry["text"])
        except RuntimeError:
            phones = []
        spoken = sum(phone != SILENCE for phone, _, _ in phones)
        if spoken >= len(entry["text"].split()):  # else everything was aligned as silence
            done.append(entry | {"phones": phones})
    return done


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with manifest.jsonl")
    parser.add_argument("out", type=Path, help="alignments, one JSON line a recording")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    entries = [entry for entry in read_manifest(options.folder) if entry["text"]]
    with ProcessPoolExecutor(options.jobs) as pool, options.out.open("w") as out:
        for batch in pool.map(_align_batch, batched(entries)):
            out.writelines(json.dumps(entry) + "\n" for entry in batch)
            out.flush()


if __name__ == "__main__":
    main()
