"""Phrases of people whom no training heard: their readings, cut where they pause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from assistant.paths import bundled_model_folder
from bench.hearing.corpus import Clip, Corpus, Samples, padded
from models.training.data.features import filter_bank, load
from models.training.data.labelled_sound import SHIFT
from models.training.exported_network import ExportedNetwork
from models.training.labels.realign import Chain, phone_scores

PAUSE_FRAMES, EDGE_FRAMES = 12, 15
WORDS = range(2, 9)


@dataclass(frozen=True)
class Phrase:
    """A few words between two pauses, and their sound."""

    text: str
    samples: Samples


@cache
def phrases(corpus: Corpus) -> list[Phrase]:
    """Return the phrases, each text once, cut where the bundled network finds the pauses."""
    network = ExportedNetwork(bundled_model_folder() / "am" / "final.mdl")
    clips = corpus.clips("librispeech", tested=True, every=1)
    found = (phrase for clip in clips for phrase in _phrases(network, clip))
    return list({phrase.text: phrase for phrase in found}.values())


def _phrases(network: ExportedNetwork, clip: Clip) -> Iterator[Phrase]:
    samples, written = load(clip.path), clip.text.split()
    chain = Chain(written)
    path, _ = chain.best(phone_scores(network, filter_bank(samples)))
    for words, start, end in _between_pauses([chain.word[state] for state in path]):
        if len(words) in WORDS:
            first, last = (max(0, start - EDGE_FRAMES) * SHIFT, (end + EDGE_FRAMES) * SHIFT)
            text = " ".join(written[word] for word in words)
            yield Phrase(text, padded(samples[first:last]))


def _between_pauses(marks: list[int]) -> Iterator[tuple[list[int], int, int]]:
    """Yield the words, the first frame and the end of what stands between two pauses."""
    words: list[int] = []
    start = end = frame = 0
    for word, group in groupby(marks):
        length = len(list(group))
        if word >= 0:
            start = start if words else frame
            words.append(word)
            end = frame + length
        elif length >= PAUSE_FRAMES and words:
            yield words, start, end
            words = []
        frame += length
    if words:
        yield words, start, end
