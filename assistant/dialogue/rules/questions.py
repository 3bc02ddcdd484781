"""The rules that answer questions: about cramp, about what is left, about what to do."""

from __future__ import annotations

from assistant.dialogue.rules.holding import interrupt
from assistant.dialogue.rules.resume import resume, resume_if_active
from assistant.dialogue.turn import Turn

_TOPICS = {"ask_why": "why", "ask_prevent": "prevent", "ask_why_not_stretch": "stretch"}
"""Intent to the topic of its answer, where the utterance names no topic of its own."""
_USUAL_TOPIC = "why"


# --- About cramp ---------------------------------------------------------------------------------


def answer(turn: Turn) -> Turn:
    """Answer a question about cramp in one line, then go on exactly where it interrupted."""
    topic = turn.slot("topic") or _TOPICS.get(turn.intent, _USUAL_TOPIC)
    answered = interrupt(turn).say(f"answer.{topic}").know(topic=topic, answer_lines_said=1)
    return resume_if_active(answered)


def more(turn: Turn) -> Turn:
    """Say the next line of the last answer."""
    topic, lines_said = turn.now.topic or _USUAL_TOPIC, turn.now.answer_lines_said
    turn = interrupt(turn)
    if lines_said >= len(turn.pack.prompts.lines[f"answer.{topic}"]):
        return resume_if_active(turn.say("answer.enough"))
    answered = turn.say(f"answer.{topic}", lines_said)
    return resume_if_active(answered.know(topic=topic, answer_lines_said=lines_said + 1))


# --- "How long?", "what do I do?" ----------------------------------------------------------------


def say_how_to_start(turn: Turn) -> Turn:
    """Say how to begin; nothing is running."""
    return turn.hush().say("what.idle").say("help.start")


def steps_left(turn: Turn) -> Turn:
    """Say how many steps there are before the hold."""
    left = len(turn.version.steps) - turn.now.step - 1
    if left == 0:
        return resume(turn.hush().say("time.hold"))
    return resume(turn.hush().say("time.step", left=turn.number(left)))


def rest_left(turn: Turn) -> Turn:
    """Say that this is the rest, and shorten it."""
    return turn.hush().say("time.rest").rest(turn.options.rest_seconds / 2)


def round_left(turn: Turn) -> Turn:
    """Say that the hold is over and a check comes next."""
    return turn.hush().say("time.check")


def nothing_left(turn: Turn) -> Turn:
    """Say that nothing is being counted."""
    return turn.hush().say("nothing.left")
