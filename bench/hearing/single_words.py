"""Recorded single words: a choice among all, then control words with the others as garbage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bench.hearing.corpus import (
    Clip,
    Corpus,
    padded,
)
from bench.hearing.engines import Engine
from bench.hearing.listener import Listener
from bench.hearing.measures import REJECTIONS, Figures, share
from models.training.data.features import load


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


def controls(hearer: Listener) -> frozenset[str]:
    """Return the single words that mean something to Charley."""
    phrases = hearer.language.intents.phrases(None)
    return frozenset(phrase for phrase in phrases if " " not in phrase)
