"""Measure how many spoken utterances get the right intent and slots, in their own state.

    python -m bench.hearing.utterances UTTERANCES [--snr 10 --noise FOLDER] [--every 4]

Every line of the utterance files is spoken by a voice that the bundled model was not trained on
(by turns, see models/README.md), fed to the recogniser with the grammar of a state in which it may
be said, and matched there. A line counts as right if intent and slots are those that the matcher
gives for the typed line. The negatives count as right if they start nothing.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from assistant.asr.hypothesis import RATE
from assistant.audio import audio_file
from assistant.audio.pcm import FULL_SCALE, Samples, to_int16
from assistant.audio.shaping import resample
from assistant.dialogue.state import State
from assistant.tts.pyttsx3_voice import Pyttsx3Voice
from bench.hearing.listener import Listener

VOICES = ("en-us+m7", "en-gb+f4", "en-gb-x-rp+m3", "en-gb-scotland+Andy", "en-us+Annie")
"""Held out of the training: variants m7, f4, Andy, Annie and the accent en-gb-x-rp."""
STATES = {
    "cramp": State.IDLE, "stitch": State.IDLE, "help": State.IDLE, "negative": State.IDLE,
    "redflag": State.HOLDING, "relief": State.CHECKING, "still": State.CHECKING,
    "worse": State.CHECKING, "came": State.CHECKING, "both": State.ASKING, "side": State.ASKING,
    "no": State.TRIAGE, "im": State.WARNED,
}  # fmt: skip
"""Beginning of a file's name to the state in which its lines are said; else while guiding."""


def state_of(name: str) -> State:
    """Return the state in which the lines of a file are said."""
    return STATES.get(name.partition("_")[0], State.GUIDING)


def utterances(folder: Path, every: int) -> Iterator[tuple[str, str]]:
    """Yield (file, line) of every utterance file, or of every nth line."""
    for path in sorted(folder.glob("*.txt")):
        for number, line in enumerate(path.read_text("utf-8").splitlines()):
            if line.strip() and number % every == 0:
                yield path.stem, line.strip()


class Noise:
    """Noise from a folder, laid under speech at a signal-to-noise ratio."""

    def __init__(self, folder: Path | None, snr_db: float) -> None:
        files = sorted(folder.rglob("*.ogg")) if folder else []
        self.clips = [resample(audio_file.read(path), RATE).samples for path in files[::7]]
        self._snr_db = snr_db
        self._random = np.random.default_rng(1)

    def under(self, speech: Samples) -> Samples:
        """Return the speech with noise under all of it."""
        if not self.clips:
            return speech
        noise = self.clips[self._random.integers(len(self.clips))].astype(float)
        noise = np.resize(noise, len(speech))
        loud = np.sqrt(np.mean(speech[np.abs(speech) > 300].astype(float) ** 2))
        gain = loud / max(1.0, np.sqrt(np.mean(noise**2))) / 10 ** (self._snr_db / 20)
        return to_int16((speech + gain * noise) / FULL_SCALE)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("utterances", type=Path)
    parser.add_argument("--model", default=None)
    parser.add_argument("--noise", type=Path, default=None)
    parser.add_argument("--snr", type=float, default=10.0)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--misses", action="store_true", help="print what was misheard")
    options = parser.parse_args()
    listener, noise = Listener(options.model), Noise(options.noise, options.snr)
    voices = [Pyttsx3Voice(name, 160) for name in VOICES]
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for number, (name, line) in enumerate(utterances(options.utterances, options.every)):
        state = state_of(name)
        quiet = np.zeros(RATE // 2, np.int16)
        said = resample(voices[number % len(voices)].render(line), RATE).samples
        spoken = np.concatenate([quiet, said, quiet, quiet])
        text, found = listener.hear(noise.under(spoken), state)
        wanted = listener.meaning(line, state)
        total[name] += 1
        right[name] += found == wanted
        if found != wanted and options.misses:
            print(f"{name:24} {line!r} heard {text!r}: {found and found[0]}")
    report(right, total, as_json=options.json)


def report(right: Counter[str], total: Counter[str], *, as_json: bool) -> None:
    """Print the shares."""
    meant = sum(n for name, n in total.items() if name != "negative")
    hit = sum(n for name, n in right.items() if name != "negative")
    figures = {
        "utterances": meant,
        "intent and slots right, %": round(100 * hit / max(1, meant), 1),
        "negatives": total["negative"],
        "negatives that start nothing, %": round(
            100 * right["negative"] / max(1, total["negative"]), 1
        ),
    }
    if as_json:
        print(json.dumps(figures, indent=1))
        return
    for name in sorted(total):
        print(f"{name:28} {right[name]:4} of {total[name]:4}")
    for label, value in figures.items():
        print(f"{label:34} {value}")


if __name__ == "__main__":
    main()
