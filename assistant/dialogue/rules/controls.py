"""The rules for controls, questions, nonsense and silence, which hold in almost every state."""

from __future__ import annotations

from assistant.dialogue.actions import CancelTimer, Chime, Remember, SetVolume
from assistant.dialogue.events import Started, UtteranceHeard, UtteranceMissed
from assistant.dialogue.rules.holding import go_on_holding, interrupted
from assistant.dialogue.rules.resume import ask_again, resume
from assistant.dialogue.state import QUESTIONS, State
from assistant.dialogue.turn import Turn

_TOPICS = {"ask_why": "why", "ask_prevent": "prevent", "ask_why_not_stretch": "stretch"}
"""What is asked about where the utterance names no topic of its own."""
_PACE = (0.6, 1.5)
"""Slowest and fastest speech, relative to the setting; beyond it espeak gets hard to follow."""


def nothing(turn: Turn) -> Turn:
    """A dead cell, written out: this changes nothing here."""
    return turn


def welcome(turn: Turn) -> Turn:
    """The session begins; the first time ever it says that it is not a doctor."""
    first = isinstance(turn.event, Started) and turn.event.first_time
    if not first:
        return turn.say("welcome.again")
    turn = turn.know(newcomer=True)
    return turn.say("welcome.first").say("about.safety").do(Remember("safety_told", "yes"))


def here(turn: Turn) -> Turn:
    """Called by name: say that somebody listens, and where we are if a question waits."""
    if turn.now.state in QUESTIONS:
        return ask_again(turn.hush())
    return turn if turn.now.speaking else turn.say("listening")


def end(turn: Turn) -> Turn:
    """Stop: silence at once, and the routine is over."""
    ended = turn.hush().go(State.IDLE, place=State.IDLE, eased_at=turn.event.at, questions=())
    return ended.do(CancelTimer("long"), CancelTimer("checkin")).say("stop.done")


def stop_idle(turn: Turn) -> Turn:
    """Stop while nothing runs: silence, and no check-in."""
    return turn.hush().do(CancelTimer("checkin"), Chime("quiet"))


def pause(turn: Turn) -> Turn:
    """Wait until the user goes on; a count remembers how far it came."""
    place = turn.now.state
    return interrupted(turn).go(State.PAUSED, place=place).say("pause.done")


def take_your_time(turn: Turn) -> Turn:
    """A safety question is not left, but it can wait."""
    return turn.hush().know(quiet=True).say("pause.done")


def still_paused(turn: Turn) -> Turn:
    """Paused already."""
    return turn.hush().say("pause.waiting")


def repeat(turn: Turn) -> Turn:
    """The last words once more: from the line that was cut, or all of them."""
    said = turn.now.said
    if isinstance(turn.event, UtteranceHeard) and turn.now.speaking and turn.event.lines_left:
        said = said[-turn.event.lines_left :]
    again = turn.hush().do(*said)
    if not said:
        again = again.say("listening")
    return again.rest(turn.habits.rest_seconds) if turn.now.state is State.RESTING else again


def answer(turn: Turn) -> Turn:
    """A question about cramp: answered in short, then back to the very place."""
    topic = turn.slot("topic") or _TOPICS.get(turn.intent, "why")
    return back_to_place(interrupted(turn).say(f"answer.{topic}").know(topic=topic, told=1))


def more(turn: Turn) -> Turn:
    """The rest of the last answer, a line at a time."""
    topic, told = turn.now.topic or "why", turn.now.told
    turn = interrupted(turn)
    if told >= len(turn.pack.prompts.lines[f"answer.{topic}"]):
        return back_to_place(turn.say("answer.enough"))
    return back_to_place(turn.say(f"answer.{topic}", told).know(topic=topic, told=told + 1))


def back_to_place(turn: Turn) -> Turn:
    """Go on where a question or a change interrupted."""
    if turn.now.state is State.HOLDING:
        return go_on_holding(turn)
    return turn if turn.now.state in (State.IDLE, State.PAUSED) else resume(turn)


def helper(turn: Turn) -> Turn:
    """Somebody is there to help: they must not push."""
    return back_to_place(interrupted(turn).say("helper.gentle").say("helper.hand"))


def slower(turn: Turn) -> Turn:
    """Speak slower, with longer gaps, from now on."""
    pace = round(max(_PACE[0], turn.now.pace * 0.85), 3)
    return _paced(turn, pace, "slower.done")


def faster(turn: Turn) -> Turn:
    """Speak quicker, with shorter gaps, from now on."""
    pace = round(min(_PACE[1], turn.now.pace * 1.2), 3)
    return _paced(turn, pace, "faster.done")


def _paced(turn: Turn, pace: float, key: str) -> Turn:
    turn = turn.hush().know(pace=pace).say(key)
    return turn if turn.now.state in (State.IDLE, State.PAUSED, State.WARNED) else resume(turn)


def louder(turn: Turn) -> Turn:
    """Play louder from now on."""
    return _at_volume(turn, min(1.0, turn.now.volume + 0.2), "louder.done")


def quieter(turn: Turn) -> Turn:
    """Play quieter from now on, but never silent."""
    return _at_volume(turn, max(0.2, turn.now.volume - 0.2), "quieter.done")


def _at_volume(turn: Turn, volume: float, key: str) -> Turn:
    turn = turn.know(volume=round(volume, 2)).do(SetVolume(round(volume, 2)))
    # A running count is its own proof that the volume changed.
    return turn if turn.now.state is State.HOLDING else turn.say(key)


def say_how_to_start(turn: Turn) -> Turn:
    """Nothing runs: tell how to begin."""
    return turn.hush().say("what.idle").say("help.start")


def nothing_running(turn: Turn) -> Turn:
    """A control without a routine to control."""
    return turn.hush().say("nothing.running")


def steps_left(turn: Turn) -> Turn:
    """How long? Before the hold: the steps that are left."""
    left = len(turn.version.steps) - turn.now.step - 1
    if left == 0:
        return resume(turn.hush().say("time.hold"))
    return resume(turn.hush().say("time.step", left=turn.number(left)))


def rest_left(turn: Turn) -> Turn:
    """How long? During the rest."""
    return turn.hush().say("time.rest").rest(turn.habits.rest_seconds / 2)


def round_left(turn: Turn) -> Turn:
    """How long? After the hold."""
    return turn.hush().say("time.check")


def is_it_gone(turn: Turn) -> Turn:
    """Ask again, for "okay" does not tell how it feels."""
    return turn.hush().say("okay.check")


def ask_anew(turn: Turn) -> Turn:
    """An answer that does not answer: put the question in other words."""
    return ask_again(turn.hush(), 0)


def missed(turn: Turn) -> Turn:
    """Nonsense: a short reprompt, a fuller one, then wait quietly."""
    if turn.now.speaking or not _is_addressed(turn):
        return turn
    turn = turn.know(misses=turn.now.misses + 1)
    misses = turn.now.misses
    if misses > 3:
        return turn.do(Chime("missed"))
    if misses == 3:
        return turn.know(quiet=turn.now.state in QUESTIONS).say("missed.wait")
    if misses == 1:
        return turn.say("missed.short")
    turn = turn.say("missed.full")
    return ask_again(turn, 1) if turn.now.state in QUESTIONS else resume(turn)


def _is_addressed(turn: Turn) -> bool:
    return isinstance(turn.event, UtteranceMissed) and turn.event.addressed


def missed_idle(turn: Turn) -> Turn:
    """Nonsense while nothing runs: only what was meant for Charley is answered."""
    if not _is_addressed(turn):
        return turn
    turn = turn.know(misses=turn.now.misses + 1)
    if turn.now.misses > 3:
        return turn.do(Chime("missed"))
    return turn.say(("missed.short", "what.idle", "missed.wait")[turn.now.misses - 1])


def silence(turn: Turn) -> Turn:
    """No answer: the question in other words, once more, then wait quietly."""
    turn = turn.know(silences=turn.now.silences + 1)
    if turn.now.silences < 3:
        return ask_again(turn, turn.now.silences - 1)
    return turn.know(quiet=True).say("silence.wait")


def silence_paused(turn: Turn) -> Turn:
    """Still paused: say so once."""
    return turn.know(quiet=True).say("pause.waiting")


def silence_following(turn: Turn) -> Turn:
    """No word on how it is: ask once more, then leave them in peace."""
    if turn.now.silences:
        return turn.go(State.IDLE).say("follow.ask", 2)
    return turn.know(silences=1).say("follow.ask", 1)


def nothing_left(turn: Turn) -> Turn:
    """How long? Nothing is counted."""
    return turn.hush().say("nothing.left")
