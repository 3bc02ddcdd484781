"""Choosing among the alternatives of an utterance: the likeliest words that make sense.

The recogniser's grammar is one of pairs of words, so "the right one" may come out as "the right
on", which means nothing. What was said is nearly always close behind and is a whole sentence;
hardly anything else that sounds alike is one.
"""

from collections.abc import Callable

from assistant.asr.hypothesis import UNKNOWN, Hypothesis, is_unknown, trimmed
from assistant.nlu.result import Match, NoMatch

_WHOLE = 100.0
"""The score of words that are all understood."""
_WHOLE_FLAG = 85.0
"""The score at which a red flag counts as one: its sentences name the sign alone ("a pop")."""
_MOST = 12
"""Alternatives that are tried; further down other talk makes sense by chance."""
_BEHIND = 0.8
"""How far behind (see `Alternative.behind`) a sentence may be for each of its words, and is taken
all the same: a long one makes no sense by chance."""
_BEHIND_IDLE = 0.5
"""The same while nothing runs and most talk is not for Charley."""
_BEHIND_UNKNOWN = 1.4
"""The same behind nothing but unknown words; they are made likely enough."""
_LONG = 8
"""Words; an utterance this long of which less than a third makes sense is other people's talk."""
_THIRD = 33.0
_DOUBT = 10.0
"""How far behind a whole sentence may be for the part of the likeliest that is not understood."""


def likeliest(
    heard: Hypothesis,
    understand: Callable[[str], Match | NoMatch],
    *,
    is_idle: bool,
    is_over_voice: bool = False,
) -> tuple[str, Match | NoMatch]:
    """Return what was said, of a final hypothesis, and what it means; `is_idle`: nothing runs.

    `is_over_voice` if Charley spoke meanwhile, where the microphone hears it: then only red flags
    are looked for, because of all that the rest of an echo may have been, something makes sense.
    """
    first = _spoken(heard.text, is_idle)
    found = understand(first)
    for other in heard.alternatives[1:_MOST]:
        text = _spoken(other.text, is_idle)
        furthest = _furthest(first, found, len(text.split()), is_idle)
        if other.behind >= furthest:
            continue
        meant = understand(text)
        if _is_whole(meant) and (_is_flag(meant) or not is_over_voice):
            return text, meant
    if 0.0 < _score(found) < _THIRD and len(first.split()) >= _LONG:
        return UNKNOWN, NoMatch(UNKNOWN, "other people's talk")
    return first, found


def early(stable: str, understand: Callable[[str], Match | NoMatch]) -> Match | None:
    """Return the meaning of an utterance in progress, if it already makes sense as it stands.

    A sign among other words may be somebody else's talk: that waits for the whole of it.
    """
    found = understand(_spoken(stable, is_idle=False))
    return found if isinstance(found, Match) and found.score >= _WHOLE_FLAG else None


def _furthest(first: str, found: Match | NoMatch, words: int, is_idle: bool) -> float:
    """Return how far behind the likeliest words, and what they mean, so many others may be."""
    if isinstance(found, Match):
        return 0.0 if _is_whole(found) else _DOUBT * (1 - found.score / _WHOLE)
    if is_unknown(first):
        return _BEHIND_UNKNOWN * words
    return words * (_BEHIND_IDLE if is_idle else _BEHIND)


def _is_whole(found: Match | NoMatch) -> bool:
    return _score(found) >= (_WHOLE_FLAG if _is_flag(found) else _WHOLE)


def _is_flag(found: Match | NoMatch) -> bool:
    return isinstance(found, Match) and found.is_red_flag


def _score(found: Match | NoMatch) -> float:
    return found.score if isinstance(found, Match) else 0.0


def _spoken(text: str, is_idle: bool) -> str:
    """Return the words without an unknown one at either end: a runner pants around a command.

    While nothing runs it stays: then whatever else was said counts against a start.
    """
    return " ".join(text.split()) if is_idle else trimmed(text)
