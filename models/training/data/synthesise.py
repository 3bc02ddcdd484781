"""Synthetic speech by espeak-ng, flite, festival (Debian), SVOX Pico (py_nanotts) and Kokoro."""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly  # type: ignore[import-untyped, unused-ignore]

from models.training.data import word_list
from models.training.data.features import load
from models.training.data.kokoro import RATE as KOKORO_RATE
from models.training.data.kokoro import Kokoro
from models.training.data.labelled_sound import RATE
from models.training.data.voices import KOKORO, KOKORO_FOREIGN, PLAIN, TRAINING_VOICES

FOREIGN_SHARE = 0.35  # of neural lines: by a voice of another language, or mixed with one
MIXED_SHARE = 0.5  # of neural lines: by the mean of two voices
ENGINE_SHARES = {"espeak": 0.68, "pico": 0.15, "flite": 0.13, "festival": 0.04}


@dataclass(frozen=True)
class Line:
    """One thing to say: what, by whom, how fast (1 = the voice's own pace), how high."""

    text: str
    voice: str
    pace: float = 1.0
    pitch: float = 1.0


def speak(line: Line, kokoro: Path | None = None) -> NDArray[np.float32]:
    """The line as 16 kHz samples between -1 and 1; a folder of Kokoro's voices if it is theirs."""
    engine, name = line.voice.split(":")
    if engine == "pico":
        return _pico(line, name)
    if engine == "kokoro":
        if kokoro is None:
            raise ValueError(f"{line.voice} needs the folder of Kokoro's voices.")
        samples = Kokoro.open(kokoro).speak(line.text, name, line.pace)
        return np.asarray(resample_poly(samples, RATE, KOKORO_RATE), dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "line.wav"
        command = {"espeak": _espeak, "flite": _flite, "festival": _festival}[engine]
        subprocess.run(command(line, name, path), check=True, capture_output=True, timeout=60)
        return load(path)


def _espeak(line: Line, name: str, path: Path) -> list[str]:
    speed, pitch = str(round(165 * line.pace)), str(round(50 * line.pitch))
    return ["espeak-ng", "-v", name, "-s", speed, "-p", pitch, "-w", str(path), line.text]


def _flite(line: Line, name: str, path: Path) -> list[str]:
    stretch = f"duration_stretch={1 / line.pace:.2f}"
    return ["flite", "-voice", name, "--setf", stretch, "-t", line.text, "-o", str(path)]


def _festival(line: Line, name: str, path: Path) -> list[str]:
    stretch = f"(Parameter.set 'Duration_Stretch {1 / line.pace:.2f})"
    text = line.text.replace('"', "")
    synthesis = f'(utt.save.wave (utt.synth (Utterance Text "{text}")) "{path}")'
    return ["festival", "-b", f"(voice_{name})", stretch, synthesis]


def _pico(line: Line, name: str) -> NDArray[np.float32]:
    from py_nanotts import NanoTTS  # type: ignore[import-not-found, unused-ignore]

    sound = NanoTTS().speak(line.text, name, line.pace, 0.7 + 0.3 * line.pitch)
    return np.frombuffer(sound, "<i2").astype(np.float32) / np.float32(32768)


def training_lines(
    sentences: list[str], general: list[str], count: int, seed: int = 1, *, neural: bool = False
) -> list[Line]:
    """Charley's sentences, pieces of general English, words in any order; several voices each."""
    voice = _neural_voice if neural else _voice
    chooser = random.Random(seed)
    commands = [text for text in sentences if len(text.split()) <= 3]
    words = word_list.frequent_words()
    numbers = list(word_list.NUMBER_WORDS)
    lines = []
    for _ in range(count):
        kind = chooser.random()
        if kind < 0.35:
            text = chooser.choice(sentences)
        elif kind < 0.47:
            text = chooser.choice(commands)
        elif kind < 0.77:
            text = _piece(chooser.choice(general).split(), chooser)
        elif kind < 0.94:
            text = " ".join(chooser.choices(words, k=chooser.randint(1, 5)))
        else:
            text = " ".join(chooser.choices(numbers, k=chooser.randint(1, 4)))
        lines.append(Line(text, voice(chooser), chooser.uniform(0.75, 1.4), _pitch(chooser)))
    return lines


def _piece(words: list[str], chooser: random.Random) -> str:
    start = chooser.randrange(max(1, len(words) - 4))
    return " ".join(words[start : start + chooser.randint(4, 12)])


def _pitch(chooser: random.Random) -> float:
    return chooser.uniform(0.5, 1.5)


def _voice(chooser: random.Random) -> str:
    """A training voice: mostly espeak-ng's, its plain ones often."""
    [engine] = chooser.choices(list(ENGINE_SHARES), list(ENGINE_SHARES.values()))
    if engine == "espeak" and chooser.random() < 0.08:
        return f"espeak:{chooser.choice(PLAIN)}"
    return chooser.choice([name for name in TRAINING_VOICES if name.startswith(engine)])


def _neural_voice(chooser: random.Random) -> str:
    """One of Kokoro's training voices, or one between two; of another language now and then."""
    pools = (KOKORO, KOKORO_FOREIGN) if chooser.random() < FOREIGN_SHARE else (KOKORO, KOKORO)
    names = [chooser.choice(pool) for pool in pools]
    mixed = chooser.random() < MIXED_SHARE
    return f"kokoro:{'+'.join(names) if mixed else names[1]}"


def write(lines: list[Line], folder: Path, kokoro: Path | None = None) -> None:
    """Speak every line into a folder, with a manifest as for recorded speech."""
    folder.mkdir(parents=True, exist_ok=True)
    if kokoro:
        Kokoro.open(kokoro)  # loaded before two threads need it at once

    def one(numbered: tuple[int, Line]) -> str:
        number, line = numbered
        path = folder / f"{number:06d}.flac"
        samples = speak(line, kokoro)
        soundfile.write(path, samples, RATE, subtype="PCM_16")
        seconds = round(len(samples) / RATE, 2)
        entry = {"audio": path.name, "text": line.text, "speaker": line.voice}
        source = "neural" if kokoro else "synthetic"
        return json.dumps(entry | {"source": source, "seconds": seconds})

    with ThreadPoolExecutor(2) as pool, (folder / "manifest.jsonl").open("w") as manifest:
        for entry in pool.map(one, enumerate(lines)):
            manifest.write(entry + "\n")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sentences", type=Path, help="folder of text files, one sentence a line")
    parser.add_argument("speech", type=Path, help="folder with manifest.jsonl: general English")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kokoro", type=Path, help="folder of Kokoro's voices: these alone speak")
    options = parser.parse_args()
    sentences = sorted({line for path in options.sentences.glob("*.txt") for line in _read(path)})
    manifest = (options.speech / "manifest.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in manifest]
    general = [entry["text"] for entry in entries if entry["source"] == "librispeech"]
    general = [text for text in general if text]
    neural = options.kokoro is not None
    lines = training_lines(sentences, general, options.count, options.seed, neural=neural)
    write(lines, options.out, options.kokoro)


def _read(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")[:-1]


if __name__ == "__main__":
    main()
