"""Speech that is not for Charley: what a conversation would have done about it, in four states.

Also the trade-off: the same against what is missed, for grammars in which `[unk]` is likelier.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from assistant.dialogue.events import Event, UtteranceHeard
from assistant.dialogue.machine import listening, step
from assistant.dialogue.state import DialogueState, State
from assistant.playback.captions import CaptionTimeline
from assistant.session import factory
from assistant.session.session import Session
from assistant.session.spoken import SpokenConversation
from assistant.settings import Settings
from bench.hearing.corpus import (
    CLEAN,
    EDGE,
    RATE,
    Clip,
    Corpus,
    Samples,
    babble,
    blocks,
    padded,
)
from bench.hearing.engines import Engine
from bench.hearing.listener import Listener
from bench.hearing.measures import REJECTIONS, Figures
from bench.hearing.utterances import utterances
from bench.hearing.whole_lines import Line, by_ear, by_list, understood
from models.training.data.features import load

STATES = {State.IDLE: False, State.GUIDING: True, State.HOLDING: True, State.CHECKING: False}
"""A state to whether Charley speaks in it."""
STARTING = ("cramp", "stitch")
"""Intents that start a routine while nothing runs."""
VOICES_OF_NEGATIVES = 3
CROWDS = 2
"""How many times the readers are split into six who talk at once."""
SHORT_CLIPS = 3
"""One in this many short clips of other speech is used."""


def hearer_of(model: Path, rejection: float = 0.0) -> Listener:
    """Return Charley's ear; each step of rejection makes `[unk]` twice as likely as usual."""
    return Listener(str(model), unknown=round(2**rejection) - 1)


class Witness(Session):
    """A session that stays in its state and records what it would have done."""

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


def listed_starts(engine: Engine, hearer: Listener, corpus: Corpus, spoken: list[Line]) -> Figures:
    """Measure how often reading aloud is taken for a listed line that starts something."""
    hear = by_list(engine, hearer, spoken)
    clips = corpus.clips("librispeech", tested=True)
    heard = (hear(padded(load(clip.path)), State.IDLE) for clip in clips)
    starts = sum(meaning is not None and meaning[0] in STARTING for meaning in heard)
    hours = sum(clip.seconds for clip in clips) / 3600
    return {"3. reading, unheard people, idle: false starts an hour": starts / hours}
