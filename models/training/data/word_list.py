"""The bundled model's words for training and recognition, besides those of the sentences."""

from __future__ import annotations

from functools import cache

from assistant.speech_models.g2p import Pronunciation
from assistant.speech_models.lexicon import Lexicon

FREQUENT_WORDS = 15_000
UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)
TEENS = ("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
NUMBER_WORDS = (*UNITS, *TEENS, *TENS, "hundred")


@cache
def lexicon() -> Lexicon:
    """Return how words are pronounced."""
    return Lexicon()


def pronunciations(word: str) -> tuple[Pronunciation, ...]:
    """Every pronunciation of a word, the American ones first; guessed if unknown."""
    return lexicon().spoken(word).pronunciations


def frequent_words(count: int = FREQUENT_WORDS) -> list[str]:
    """The most frequent English words that have a pronunciation."""
    from wordfreq import top_n_list  # only a training environment has it

    return [word for word in top_n_list("en", count) if word.isascii() and word in lexicon()]
