"""Every cutoff, weight and cost of the matcher, in one place.

Scores, shares and likenesses run from 0 to 100, weights of words from 0 to 1. What they do together
is measured by the bench of matching: how many utterances are understood, how much other talk is.
"""

from __future__ import annotations

# --- How much of an utterance a meaning must explain ---------------------------------------------

FREE_CUTOFF = 55.0
"""Share that a complaint needs: idle talk is long, and a complaint in it is rare."""

ANSWER_CUTOFF = 80.0
"""Share that an answer needs: it is short, and all of it answers."""

LONG_PHRASE_WORDS = 3
"""Words that a meaning must explain to be believed among more that it does not."""

LONG_PHRASE_RELIEF = 6.0
"""By how much the cutoff of so long a phrase is lower."""

LONE_WORD_EXTRA = 15.0
"""By how much the cutoff is higher where one word is all of a meaning: "stitch this on for me"."""

# --- What a word counts --------------------------------------------------------------------------

OTHER_WEIGHT = 0.35
"""A word that belongs to another meaning than the one taken."""

COMPLAINT_WEIGHT = 0.7
"""The same in a complaint or a question next to another: "it won't let go, it's been ages"."""

SMALL_WEIGHT = 0.3
"""A small word that nothing explains."""

SKIP_WORD_WEIGHT = 0.3
"""A skip word that a template takes, so that "come on" beats "come"."""

SEGMENT_COST = 0.15
"""What each segment costs, so that one long template beats two short ones."""

ASIDE_COST = 0.05
"""What an aside costs beyond that: a command with the same words beats it."""

# --- Unknown words taken for known ones ----------------------------------------------------------

SPELLING_CUTOFF = 82.0
"""How alike an unknown word and a known one must be."""

SPELLING_MARGIN = 4.0
"""How much more alike than the next known word; "car" must not become one of two."""

SPELLING_MIN_LETTERS = 5
"""Letters a word needs to be corrected; a shorter one is one letter from half the language."""

SPELLING_WORTH = 0.95
"""What a score is worth that rests on a corrected word."""

# --- Utterances in which one word was misheard ---------------------------------------------------

REPAIR_WORD_CUTOFF = 75.0
"""How alike the misheard word and the one that was meant must be, letter by letter."""

REPAIR_WORDS_TRIED = 12
"""Words looked at that are like the misheard one."""

REPAIR_PHRASE_CUTOFF = 80.0
"""How alike the whole utterance and the phrase must be."""

REPAIR_SMALL_CUTOFF = 93.0
"""The same where only small words were heard as they were meant: "it still hurt"."""

REPAIR_MARGIN = 3.0
"""How much more alike than the next phrase that means something else."""

REPAIR_MIN_WORDS = 3
"""Words of a complaint that may rest on a repair: "tummy tuck" is none."""

REPAIR_MAX_WORDS = 8
"""Words beyond which an utterance is other talk, not a misheard phrase."""

# --- Long texts ----------------------------------------------------------------------------------

WINDOW_WORDS = 60
"""Words that are interpreted together; nobody in pain says more before a pause."""

WINDOW_OVERLAP_WORDS = 20
"""Words that two windows of a longer text share, so that no phrase is cut in two."""
