"""The rules for what was not an answer: silence, nonsense, and an answer to something else.

Each is a ladder: ask again in a few words, then in full, then say so and wait quietly.
"""

from __future__ import annotations

from assistant.dialogue.actions import Chime
from assistant.dialogue.events import UtteranceMissed
from assistant.dialogue.rules.resume import ask_again, resume
from assistant.dialogue.rules.rounds import another_round
from assistant.dialogue.state import QUESTIONS, State
from assistant.dialogue.turn import Turn

# --- An answer to something else -----------------------------------------------------------------


def rephrase_question(turn: Turn) -> Turn:
    """Put the question that waits again, in other words."""
    return ask_again(turn.hush(), 0)


def is_it_gone(turn: Turn) -> Turn:
    """Ask again how it feels: "okay" does not say; it may confirm the line before the question."""
    if turn.is_unfinished:
        return turn
    return turn.hush().say("okay.check")


def done_or_another(turn: Turn) -> Turn:
    """Ask again after "done", which confirms; "next" is another round."""
    return is_it_gone(turn) if turn.slot("done") else another_round(turn)


# --- Nonsense ------------------------------------------------------------------------------------


def missed(turn: Turn) -> Turn:
    """Answer nonsense: a short reprompt, then a full one, then wait quietly."""
    if turn.now.speaking or not _is_addressed(turn):
        return turn
    turn = turn.know(misses=turn.now.misses + 1)
    misses, is_asking = turn.now.misses, turn.now.state in QUESTIONS
    if misses > 3:
        return turn.do(Chime("missed"))
    if misses == 3:
        return turn.know(is_waiting_quietly=is_asking).say("missed.wait")
    if misses == 1:
        turn = turn.say("missed.short")
        return ask_again(turn) if turn.now.state is State.TRIAGE else turn
    turn = turn.say("missed.full")
    return ask_again(turn, 1) if is_asking else resume(turn)


def missed_idle(turn: Turn) -> Turn:
    """Answer nonsense while nothing is running, if it was meant for Charley."""
    if not _is_addressed(turn):
        return turn
    turn = turn.know(misses=turn.now.misses + 1)
    if turn.now.misses > 3:
        return turn.do(Chime("missed"))
    return turn.say(("missed.short", "what.idle", "missed.wait")[turn.now.misses - 1])


def _is_addressed(turn: Turn) -> bool:
    return isinstance(turn.event, UtteranceMissed) and turn.event.addressed


# --- Silence -------------------------------------------------------------------------------------


def silence(turn: Turn) -> Turn:
    """Put an unanswered question in other words, twice, then wait quietly."""
    turn = turn.know(silences=turn.now.silences + 1)
    if turn.now.silences < 3:
        return ask_again(turn, turn.now.silences - 1)
    return turn.know(is_waiting_quietly=True).say("silence.wait")


def silence_paused(turn: Turn) -> Turn:
    """Say once that Charley is still paused."""
    return turn.know(is_waiting_quietly=True).say("pause.waiting")


def silence_following(turn: Turn) -> Turn:
    """Ask once more how it is, then leave them in peace."""
    if turn.now.silences:
        return turn.go(State.IDLE).say("follow.ask", 2)
    return turn.know(silences=1).say("follow.ask", 1)
