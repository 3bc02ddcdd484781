"""Separating what a person says from what comes back from Charley's own loudspeaker."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile

from assistant.asr.hypothesis import Hypothesis, is_unknown
from assistant.nlu.normalise import surface


class SelfHearing:
    """Discounts the words that Charley itself was saying when they were heard.

    A word is Charley's if Charley was saying it when the word was first heard; in a final
    hypothesis, which may revise old words, if it was at any time in the utterance. An unknown word
    counts as Charley's while Charley speaks: an answer to it would make the next one, without end.
    """

    def __init__(self, own_words: Callable[[], str]) -> None:
        """`own_words` returns what Charley is saying now, as far as it can be heard."""
        self._own_words = own_words
        self._heard: list[tuple[str, bool]] = []
        """The words of the utterance so far, and whether each is Charley's."""
        self._said: set[str] = set()
        """What Charley said while they were heard."""
        self._said_last: set[str] = set()
        """The same for the utterance that ended last."""

    @property
    def was_speaking(self) -> bool:
        """True if Charley spoke during the utterance that ended last."""
        return bool(self._said_last)

    def was_all(self, text: str) -> bool:
        """Return whether Charley said all these words during the utterance that ended last."""
        return all(_is_own(word, self._said_last) for word in text.split())

    def is_all(self, hypothesis: Hypothesis) -> bool:
        """Return whether Charley alone spoke the words; of a partial hypothesis, the stable."""
        now = set(surface(self._own_words()).split())
        words = hypothesis.text.split()
        if hypothesis.final:
            self._said_last, self._said, self._heard = self._said | now, set(), []
            return self.was_all(hypothesis.text)
        same = _in_common([word for word, _ in self._heard], words)
        # Nothing in common: another utterance has begun, and the last one came to nothing.
        self._said = self._said | now if same else now
        self._heard[same:] = [(word, _is_own(word, now)) for word in words[same:]]
        return all(is_own for _, is_own in self._heard[: hypothesis.stable_words])


def _is_own(word: str, said: set[str]) -> bool:
    return bool(said) and (is_unknown(word) or word in said)


def _in_common(before: list[str], now: list[str]) -> int:
    """Return how many leading words are the same."""
    pairs = zip(before, now, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
