"""Whole utterances: intent and slots right, in the state that a line belongs to.

Peers get the list of the same lines as their grammar; "listed" is Charley's model with that list.
Then phrases from books, one of a list, by people who read them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from assistant.audio.pcm import to_int16
from assistant.dialogue.state import State
from assistant.speech_models import extend
from assistant.speech_models.decoding_graph import is_extensible
from assistant.speech_models.lexicon import Lexicon
from bench.hearing.corpus import (
    CLEAN,
    Condition,
    Corpus,
    Samples,
)
from bench.hearing.engines import Engine, Vosk
from bench.hearing.listener import Listener, Meaning
from bench.hearing.measures import Figures, share
from bench.hearing.phrases import phrases
from bench.hearing.utterances import state_of, utterances
from models.training.data.voices import NEURAL_TEST_VOICES, TEST_VOICES

Line = tuple[str, State, Samples]
"""What is said, the state in which it is said, and its sound."""
NEURAL_LEVEL = 10
"""Decibels of the speech over the noise under neural voices."""
PHRASE_CONDITIONS = ("clean", "street and rooms, 10 dB")
PEER_CONDITIONS = ("clean", "babble of six readers, 10 dB")
NOISE_PARTS = 3
"""Each noise is under one in so many of the lines."""


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
    """Return a function that hears as Charley does."""
    return lambda samples, state: hearer.hear(to_int16(samples), state)[1]


def by_list(
    engine: Engine, hearer: Listener, spoken: list[Line]
) -> Callable[[Samples, State], Meaning]:
    """Return a function that hears only the lines of a state."""
    texts: dict[State, list[str]] = defaultdict(list)
    for text, state, _ in spoken:
        texts[state].append(text)
    listeners = {state: engine.listener(dict.fromkeys(said)) for state, said in texts.items()}
    return lambda samples, state: hearer.meaning(listeners[state].hear(samples), state)


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
