"""An answer within a hold: it is laid between two counts, and the hold's end never moves."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.audio.pcm import Samples
from assistant.playback.clip import ClipWord


def interjected(
    words: list[ClipWord], takes: Sequence[Samples], text: str, earliest: int, clearance: int
) -> list[ClipWord]:
    """Return a hold's words with an interjection in the next gap.

    `takes` are the same words at several paces; `earliest` is a sample of the clip and `clearance`
    a length in samples. The first take that fits before the next word is used; if none does, the
    first one that covers no fixed word, and the counts under it are dropped. Words are never late
    and never overlap; what would cover the last count is not said at all.
    """
    start = _next_gap(words, earliest, clearance)
    for may_cover in (False, True):
        for samples in takes:
            covered = [w for w in words if _clash(w, start, start + len(samples), clearance)]
            if not covered or (may_cover and not any(word.fixed for word in covered)):
                answer = ClipWord(start, samples, text, fixed=True)
                kept = [word for word in words if word not in covered]
                return sorted([*kept, answer], key=lambda word: word.at)
    return words


def _next_gap(words: list[ClipWord], earliest: int, clearance: int) -> int:
    """Return the first sample at which nothing sounds that has begun or must be heard."""
    fixed = (word.end + clearance for word in words if word.fixed and word.at < earliest)
    start = max([earliest, *fixed])
    for word in words:
        is_waited_for = word.fixed or word.at < earliest or not word.text
        if is_waited_for and _clash(word, start, start, clearance):
            start = word.end + clearance
    return start


def _clash(word: ClipWord, first: int, last: int, clearance: int) -> bool:
    """Return whether a word is nearer to a stretch of samples than the clearance."""
    return word.at < last + clearance and word.end + clearance > first
