"""The safety rules: red flags, the answers to safety questions, and the way out of a warning."""

from __future__ import annotations

from assistant.dialogue.events import UtteranceMissed
from assistant.dialogue.rules.barred import REFUSED, STILL_BARRED, is_barred, leave
from assistant.dialogue.rules.holding import interrupt
from assistant.dialogue.rules.onset import ask_or_open
from assistant.dialogue.rules.resume import ask_again, resume
from assistant.dialogue.rules.triage import ask_safety, put_question, warn
from assistant.dialogue.state import COACHING, State
from assistant.dialogue.turn import Turn

_REPEAT_SECONDS = (10.0, 15.0, 20.0, 30.0)
"""Silences between the repeats of a warning; the last one lasts until somebody answers."""

# --- Signs ---------------------------------------------------------------------------------------


def red_flag(turn: Turn) -> Turn:
    """End the coaching at a dangerous sign, or ask first if it may be something else."""
    flag = turn.intent
    known = turn.know(muscle=turn.slot("muscle") or turn.now.muscle)
    if flag == "redflag_pregnant":
        known = _is_pregnant(known)
    question = turn.pack.red_flags.question_for(flag, turn.slot("certain") != "no")
    if not question or turn.now.state is State.WARNED:
        return warn(known, flag)
    return _ask_about(known, question)


def _is_pregnant(turn: Turn) -> Turn:
    """Coach more gently, and begin if nothing was running."""
    turn = turn.know(pregnant=True)
    if turn.now.state is State.IDLE:
        return turn.know(state=State.ASKING, requested_slot="", return_state=State.ASKING)
    return turn


def _ask_about(turn: Turn, question: str) -> Turn:
    """Put a question even if it was put before: something new was said."""
    turn = interrupt(turn)
    return ask_safety(turn.know(already_asked=turn.now.already_asked - {question}), question)


def too_long(turn: Turn) -> Turn:
    """Warn after ten minutes of cramp, unless nobody has been answering: they may have run on."""
    return turn if turn.now.is_waiting_quietly else warn(turn, "redflag_long_lasting")


def help_wanted(turn: Turn) -> Turn:
    """Rule out an emergency first, then list what can be said."""
    if turn.slot("topic") == "words":
        return _offer_words(interrupt(turn))
    return _ask_about(turn, "faint").know(wants_help=True)


def _offer_words(turn: Turn) -> Turn:
    if turn.now.state in COACHING:
        return resume(turn.say("help.commands").say("help.feelings"))
    if turn.now.state is State.IDLE:
        return turn.say("help.start").say("about.aims")
    return resume(turn)


# --- Answers to a safety question ----------------------------------------------------------------


def triage_yes(turn: Turn) -> Turn:
    """Warn: the sign is there."""
    return warn(turn, turn.pack.red_flags.questions[turn.now.safety_questions[0]].flag)


def triage_fine(turn: Turn) -> Turn:
    """Take "all fine" for a no to this question; "it's gone" is no answer to it."""
    return triage_no(turn) if turn.slot("fine") else ask_again(turn.hush(), 0)


def triage_no(turn: Turn) -> Turn:
    """Put the next safety question, or go back: the sign is not there."""
    if turn.is_unfinished:
        return turn
    turn = turn.hush().know(safety_questions=turn.now.safety_questions[1:])
    if turn.now.safety_questions:
        return put_question(turn)
    turn = turn.go(turn.now.return_state)
    if turn.now.wants_help:
        return _offer_words(turn)
    if turn.now.state is State.IDLE:
        return turn.say("triage.idle")
    if turn.now.state is State.ASKING:
        return ask_or_open(turn)
    return resume(turn.say("triage.clear"))


# --- After a warning -----------------------------------------------------------------------------


def okay(turn: Turn) -> Turn:
    """Offer to carry on, but never just go on, now that the person is okay.

    A flag that stays is not cleared: its limb is not worked on again.
    """
    stays = turn.pack.red_flags.flags[turn.now.red_flag].stays
    if stays or is_barred(turn.now):
        return leave(turn, STILL_BARRED)
    if not turn.now.version or turn.now.return_state is State.IDLE:
        return turn.hush().go(State.IDLE).say("okay.idle")
    return turn.hush().go(State.OFFERING).say("okay.offer").say("okay.which")


def with_company(turn: Turn) -> Turn:
    """Approve: somebody is with the person."""
    if turn.is_unfinished:
        return turn
    return say_varied(turn.hush(), "warned.good")


def alone(turn: Turn) -> Turn:
    """Say how to get somebody to come."""
    return say_varied(turn.hush(), "warned.alone")


def first_okay(turn: Turn) -> Turn:
    """Put anything else off until the person is okay."""
    return say_varied(turn.hush(), "warned.first")


def repeat_warning(turn: Turn) -> Turn:
    """Say one line of the warning again, and another thing each time; nobody has answered yet."""
    repeats = turn.now.warning_repeats + 1
    lines = turn.pack.red_flags.flags[turn.now.red_flag].lines
    again = turn.hush().know(warning_repeats=repeats).speak(lines[(repeats - 1) % len(lines)])
    return say_varied(again, "warned.again")


def say_varied(turn: Turn, key: str) -> Turn:
    """Speak the next wording of a prompt."""
    nth = turn.now.replies
    wordings = turn.pack.prompts.lines[key]
    return turn.know(replies=nth + 1).say(key, nth % len(wordings))


_REPLIES = {
    "thanks": "warned.thanks",
    "scared": "warned.scared",
    "coming": "warned.coming",
    "who": "warned.who",
}
"""What a person says during a warning to what Charley answers; it goes on waiting."""


def reply(turn: Turn) -> Turn:
    """Acknowledge what is said during a warning, or take the warning back if it was misheard."""
    if turn.slot("to") == "misheard":
        return _take_back(turn)
    return say_varied(turn.hush(), _REPLIES[turn.slot("to") or "thanks"])


def reply_elsewhere(turn: Turn) -> Turn:
    """Answer "who do I call?" as a call for help; the rest needs no words here."""
    return warn(turn, "redflag_call_help") if turn.slot("to") == "who" else turn


def misheard_warning(turn: Turn) -> Turn:
    """Say once that somebody is there, if something was said that nobody understood."""
    heard = isinstance(turn.event, UtteranceMissed) and turn.event.addressed
    if turn.now.speaking or not heard or turn.now.misses:
        return turn
    return turn.know(misses=1).say("warned.here")


def _take_back(turn: Turn) -> Turn:
    """Apologise, and offer to carry on; what the flag barred is free again."""
    turn = turn.hush().know(barred=turn.now.barred_before).say("warned.sorry")
    if is_barred(turn.now) and turn.now.barred:
        return leave(turn, REFUSED)
    if not turn.now.version or turn.now.return_state is State.IDLE:
        return turn.go(State.IDLE).say("listening")
    return turn.go(State.OFFERING).say("okay.which")


def repeat_seconds(repeats: int) -> float:
    """Return the silence before a warning is said again."""
    return _REPEAT_SECONDS[min(repeats, len(_REPEAT_SECONDS) - 1)]


def silence_warning(turn: Turn) -> Turn:
    """End the words of a warning, but not the warning."""
    return turn.hush().know(is_waiting_quietly=True).say("stop.warned")
