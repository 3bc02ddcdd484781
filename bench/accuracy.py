"""How well a model folder hears: `python -m bench.accuracy MODEL SPEECH UTTERANCES`.

SPEECH is a folder of recorded speech with a manifest, UTTERANCES a folder of text files, one
sentence a line. Voices, speakers and noises of the tests took no part in the training. Synthetic
speech is made once and kept in `--cache`. PocketSphinx, the peer, runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from models.features import is_test_noise, load, part_of
from models.lexicon import NUMBER_WORDS
from models.synthesise import PLAIN, RATE, TEST_VOICES, Line, speak

Samples = NDArray[np.float32]
Result = dict[str, Any]
COMMANDS = ["stop", "go", "yes", "no", "left", "right", "up", "down", "on", "off"]
CONTROLS = ("control_", "yes", "no", "side_", "help")
UNKNOWN = "[unk]"
NOISE_LEVELS = (20, 10, 5)
CHUNK = 1600
EDGE = np.zeros(RATE // 4, dtype=np.float32)


class Listener:
    """One recogniser with one grammar."""

    def __init__(self, model: Any, phrases: Iterable[str]) -> None:
        import vosk

        grammar = json.dumps([*phrases, UNKNOWN])
        self._recogniser = vosk.KaldiRecognizer(model, RATE, grammar)
        self.audio = self.busy = 0.0

    def hear(self, samples: Samples) -> list[str]:
        """What is heard, one text for each endpoint and one for the end."""
        sound = (np.clip(samples, -1, 1) * 32767).astype("<i2")
        begun = time.process_time()
        texts = [
            str(json.loads(self._recogniser.Result())["text"])
            for start in range(0, len(sound), CHUNK)
            if self._recogniser.AcceptWaveform(sound[start : start + CHUNK].tobytes())
        ]
        texts.append(json.loads(self._recogniser.FinalResult())["text"])
        self.busy += time.process_time() - begun
        self.audio += len(samples) / RATE
        return [text for text in texts if text]


def recorded_words(speech: Path) -> Iterator[tuple[str, Path]]:
    """Single words by speakers of the test part."""
    for line in (speech / "manifest.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if entry["source"] == "speech_commands" and part_of(entry["speaker"]) == "test":
            yield entry["text"], speech / entry["audio"]


def _padded(samples: Samples) -> Samples:
    return np.concatenate([EDGE, samples, EDGE])


def single_words(model: Any, speech: Path) -> Result:
    """Recorded single words: a forced choice, then commands against all other words."""
    clips = list(recorded_words(speech))
    words = sorted({word for word, _ in clips})
    choice, commands = Listener(model, words), Listener(model, COMMANDS)
    right = hits = misses = others = accepts = 0
    for word, path in clips:
        samples = _padded(load(path))
        right += choice.hear(samples) == [word]
        heard = [text for text in commands.hear(samples) if text != UNKNOWN]
        if word in COMMANDS:
            hits += heard == [word]
            misses += not heard
        else:
            others += 1
            accepts += bool(heard)
    spoken = len(clips) - others
    return {
        "recordings": len(clips),
        "words to choose from": len(words),
        "right of all words, %": 100 * right / len(clips),
        "commands right beside [unk], %": 100 * hits / spoken,
        "commands missed, %": 100 * misses / spoken,
        "other words taken for a command, %": 100 * accepts / max(1, others),
    }


def peer(speech: Path) -> Result:
    """PocketSphinx on the recorded words, with a grammar of the same words."""
    from pocketsphinx import Decoder  # type: ignore[import-untyped, unused-ignore]

    clips = list(recorded_words(speech))
    words = sorted({word for word, _ in clips})
    decoder = Decoder(lm=None, loglevel="FATAL")
    grammar = f"#JSGF V1.0; grammar words; public <word> = {' | '.join(words)};"
    decoder.add_jsgf_string("words", grammar)
    decoder.activate_search("words")
    right = 0
    for word, path in clips:
        decoder.start_utt()
        sound = np.clip(_padded(load(path)), -1, 1) * 32767
        decoder.process_raw(sound.astype("<i2").tobytes(), full_utt=True)
        decoder.end_utt()
        right += bool(decoder.hyp()) and decoder.hyp().hypstr == word
    return {"recordings": len(clips), "right of all words, %": 100 * right / len(clips)}


def _same(heard: str, text: str) -> bool:
    """Whether two texts are the same words; "ok" and "okay" sound alike."""
    return heard.replace("okay", "ok").split() == text.replace("okay", "ok").split()


def sentences(utterances: Path) -> dict[str, str]:
    """Every sentence with the name of its file."""
    return {
        line: path.stem
        for path in sorted(utterances.glob("*.txt"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if line
    }


def spoken(line: Line, cache: Path) -> Samples:
    """The line as sound, from the cache where it was made before."""
    path = cache / f"{zlib.crc32(repr(line).encode()):08x}.flac"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, speak(line), RATE, subtype="PCM_16")
    return load(path)


def _with_noise(samples: Samples, noises: list[Path], decibels: float, seed: int) -> Samples:
    """The sound with a noise under it, so many decibels weaker than the speech."""
    chooser = random.Random(seed)
    noise = load(chooser.choice(noises))
    noise = np.resize(noise, len(samples))
    loud = np.abs(samples) > 0.05 * np.abs(samples).max()
    speech_power = float(np.mean(samples[loud] ** 2))
    noise_power = float(np.mean(noise**2)) + 1e-9
    gain = np.float32(np.sqrt(speech_power / noise_power / 10 ** (decibels / 10)))
    mixed = samples + gain * noise
    return np.asarray(mixed / max(1.0, float(np.abs(mixed).max())), dtype=np.float32)


def whole_sentences(
    model: Any, utterances: Path, noises: list[Path], cache: Path
) -> dict[str, Result]:
    """Each sentence spoken by a voice that took no part in the training."""
    texts = sentences(utterances)
    results: dict[str, Result] = {}
    for level in (None, *NOISE_LEVELS):
        listener = Listener(model, texts)
        exact = intents = short = short_right = 0
        misheard = []
        for number, text in enumerate(texts):
            voice = TEST_VOICES[number % len(TEST_VOICES)]
            samples = _padded(spoken(Line(text, voice), cache))
            if level is not None:
                samples = _with_noise(samples, noises, level, number)
            heard = " ".join(listener.hear(samples))
            if _same(heard, text):
                exact += 1
            else:
                misheard.append([voice, text, heard])
            intents += _same(heard, text) or texts.get(heard) == texts[text]
            if len(text.split()) <= 2:
                short += 1
                short_right += _same(heard, text)
        name = "clean" if level is None else f"noise at {level} dB"
        results[name] = {
            "sentences": len(texts),
            "every word right, %": 100 * exact / len(texts),
            "same file, %": 100 * intents / len(texts),
            "right of one or two words, %": 100 * short_right / short,
            "real-time factor": listener.busy / listener.audio,
            "misheard": misheard,
        }
    return results


def counts(model: Any, cache: Path) -> Result:
    """The numbers one to twenty as Charley's own voice says them, among each other."""
    numbers = NUMBER_WORDS[1:21]
    listener = Listener(model, numbers)
    right = 0
    for accent in PLAIN:
        for number in numbers:
            line = Line(number, f"espeak:{accent}")
            right += listener.hear(_padded(spoken(line, cache))) == [number]
    return {"numbers right, %": 100 * right / (2 * len(numbers))}


def false_hits(model: Any, speech: Path, utterances: Path) -> dict[str, Result]:
    """What is heard in speech that is not for Charley: readers of the test part."""
    entries = [json.loads(line) for line in (speech / "manifest.jsonl").read_text().splitlines()]
    readers = [
        speech / entry["audio"]
        for entry in entries
        if entry["source"] == "librispeech" and part_of(entry["speaker"]) == "test"
    ]
    texts = sentences(utterances)
    controls = [text for text, name in texts.items() if name.startswith(CONTROLS)]
    results: dict[str, Result] = {}
    for name, phrases in (("controls", controls), ("all sentences", list(texts))):
        listener = Listener(model, phrases)
        known = set(phrases)
        words = whole = 0
        for path in readers:
            heard = [text for text in listener.hear(load(path)) if text != UNKNOWN]
            words += len(heard)
            whole += sum(text in known for text in heard)
        hours = listener.audio / 3600
        results[name] = {
            "hours": hours,
            "any word, per hour": words / hours,
            "a whole sentence, per hour": whole / hours,
        }
    return results


def footprint(folder: Path) -> tuple[Any, Result]:
    """The loaded model, with its size, load time and the memory of this process."""
    import vosk

    vosk.SetLogLevel(-1)
    begun = time.monotonic()
    model = vosk.Model(str(folder))
    loaded = time.monotonic() - begun
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return model, {"size, MB": size / 1e6, "load, s": loaded}


def memory_listening(folder: Path) -> float:
    """Memory of a bare process that has loaded the model and listened, in MB."""
    program = (
        "import pathlib,sys,vosk;vosk.SetLogLevel(-1);"
        'r=vosk.KaldiRecognizer(vosk.Model(sys.argv[1]),16000,\'["stop","[unk]"]\');'
        "r.AcceptWaveform(bytes(320000));r.FinalResult();"
        "print(int(pathlib.Path('/proc/self/status').read_text().split('VmRSS:')[1].split()[0])/1e3)"
    )
    command = [sys.executable, "-c", program, str(folder)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _print(title: str, result: dict[str, Any]) -> None:
    for name, value in result.items():
        if isinstance(value, dict):
            _print(f"{title}, {name}", value)
        elif not isinstance(value, list):
            shown = f"{value:.3g}" if isinstance(value, float) else str(value)
            print(f"{title:38} {name:38} {shown:>8}", flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("speech", type=Path)
    parser.add_argument("utterances", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("build/accuracy"))
    parser.add_argument("--json", type=Path, help="write the figures here, and what was misheard")
    parser.add_argument("--peer", action="store_true", help="measure PocketSphinx only")
    options = parser.parse_args()
    if options.peer:
        print(json.dumps(peer(options.speech)))
        return
    model, size = footprint(options.model)
    noises = [path for path in sorted((options.speech / "noise").rglob("*.*")) if path.is_file()]
    noises = [path for path in noises if path.suffix != ".md" and is_test_noise(path)]
    results: dict[str, Any] = {}

    def report(title: str, result: dict[str, Any]) -> None:
        results[title] = result
        _print(title, result)

    report("model", size | {"memory, MB": memory_listening(options.model)})
    report("single words", single_words(model, options.speech))
    command = [sys.executable, "-m", "bench.accuracy", *sys.argv[1:4], "--peer"]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    report("single words, PocketSphinx", json.loads(ran.stdout))
    report("counts", counts(model, options.cache))
    report("other speech", false_hits(model, options.speech, options.utterances))
    report("sentences", whole_sentences(model, options.utterances, noises, options.cache))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
