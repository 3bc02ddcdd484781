"""One turn of the conversation: what is known, what happened, and what to do about it.

Nothing here is changed in place. A rule takes a Turn and returns another; the words come from the
language pack, the time from the event.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from assistant.content.language_pack import LanguagePack
from assistant.content.prompts import Line, fill
from assistant.content.routines import Routine, Version
from assistant.dialogue.actions import Action, Count, Hush, Interject, Listen, Say, Wait
from assistant.dialogue.events import Event, UtteranceHeard
from assistant.dialogue.hold import CountStyle, Hold


class State(StrEnum):
    """Where the conversation is."""

    IDLE = "idle"
    """Nothing is running; a cramp, a question or a red flag starts something."""
    ASKING = "asking"
    """The muscle or the position was asked."""
    TRIAGE = "triage"
    """A safety question was asked, yes or no."""
    GUIDING = "guiding"
    """A step was spoken; "okay" or a pause leads on."""
    HOLDING = "holding"
    """The cue is spoken or the count is running."""
    CHECKING = "checking"
    """Gone, still there, or worse?"""
    RESTING = "resting"
    """The short rest between two rounds, or plan B."""
    EASING = "easing"
    """Gone: walk, jog, ease in."""
    FOLLOWING = "following"
    """Minutes later: how is it?"""
    PAUSED = "paused"
    """Waits for "carry on"."""
    WARNED = "warned"
    """A red flag: no coaching until the person says that they are okay."""
    OFFERING = "offering"
    """Okay again: carry on, or leave it here?"""


COACHING = frozenset(
    {State.GUIDING, State.HOLDING, State.CHECKING, State.RESTING, State.EASING, State.PAUSED}
)
"""The states in which a routine is under way."""

QUESTIONS = frozenset(
    {State.ASKING, State.TRIAGE, State.CHECKING, State.FOLLOWING, State.PAUSED, State.OFFERING}
)
"""The states that wait for an answer and have a ladder for silence."""


DETOURS = frozenset({State.TRIAGE, State.PAUSED, State.WARNED, State.OFFERING})
"""The states that lead back to the place where the conversation was."""


@dataclass(frozen=True, slots=True)
class CoachingOptions:
    """What the user may set of the routines."""

    hold_seconds: int = 10
    """Counts of one hold (seed article, step 5)."""
    count_style: CountStyle = CountStyle.UP
    terse: bool = False
    """Say only what is needed."""
    voice: str = ""
    """Who speaks, as in the settings; empty for the usual voice."""
    rounds: int = 3
    """Rounds in one position before another is tried ("a few", seed article)."""
    step_seconds: float = 3.0
    """Silence after a step before the next one."""
    rest_seconds: float = 5.0
    """Rest between two rounds (domain text 2.0)."""
    answer_seconds: float = 8.0
    """Silence after a question before it is put again (Alexa's window)."""
    checkin_seconds: float = 240.0
    """From "gone" to "how is it?"; 0 turns the check-in off."""
    long_seconds: float = 600.0
    """A cramp that lasts so long needs help, not coaching (NHS)."""
    jumpy_seconds: float = 3600.0
    """A cramped muscle's threshold stays lowered for an hour (Miller 2017)."""


@dataclass(frozen=True, slots=True)
class DialogueState:
    """All that the conversation knows."""

    state: State = State.IDLE
    speaking: bool = False
    """True while something is queued or being played."""
    # The cramp
    muscle: str = ""
    side: str = ""
    position: str = ""
    toes: str = ""
    pregnant: bool = False
    routine: str = ""
    """Key of the routine under way, or of the last one."""
    version: str = ""
    """Name of its version under way."""
    # Where in the routine
    step: int = 0
    round: int = 0
    """Rounds done in this position."""
    ladder: int = 0
    """0 first position, 1 another position, 2 plan B."""
    counted: int = 0
    """Counts done of an interrupted hold."""
    beat: float = 1.0
    """Seconds between two counts."""
    gentle: bool = False
    one_more: bool = False
    """Another round was asked for during the hold."""
    rests: int = 0
    checks: int = 0
    # Where to return to
    place: State = State.IDLE
    """State that an interruption left."""
    asked: str = ""
    """What was asked: "muscle", "thigh" or "position"."""
    invited: bool = False
    """True while idle after Charley asked where it cramps: the muscle alone is answer enough."""
    answered: frozenset[str] = frozenset()
    """Questions that were put already and are not put again in this cramp."""
    questions: tuple[str, ...] = ()
    """Safety questions still to be put; the first is the one that was asked."""
    wants_help: bool = False
    """Help was called for; the safety question comes first."""
    flag: str = ""
    """The red flag that was raised."""
    worse: int = 0
    warned_times: int = 0
    # The talk
    misses: int = 0
    silences: int = 0
    quiet: bool = False
    """True once Charley has said that it will wait quietly."""
    said: tuple[Say, ...] = ()
    """The lines of the last turn, for "repeat"."""
    pace: float = 1.0
    volume: float = 1.0
    topic: str = ""
    """What was asked about last, for "more"."""
    told: int = 0
    """How much of its answer was told."""
    habits: CoachingOptions | None = None
    """What the user changed by voice; None for nothing."""
    before: tuple[CoachingOptions, ...] = ()
    """How it was before each change, for "undo"."""
    newcomer: bool = False
    """True if this is the first session ever: openings are longer."""
    # Over the session
    routines_begun: int = 0
    returns: int = 0
    eased_at: float | None = None
    listening: Listen | None = None
    """What the recogniser was last told to listen for; None before the first time."""

    @property
    def context(self) -> frozenset[str] | None:
        """The context in which utterances are understood now; None before the first event."""
        return self.listening.context if self.listening else None


@dataclass(frozen=True, slots=True)
class Turn:
    """One event being answered."""

    now: DialogueState
    event: Event
    pack: LanguagePack
    coaching: CoachingOptions
    actions: tuple[Action, ...] = field(default=())

    # What is known

    @property
    def routine(self) -> Routine:
        """The routine under way, or the last one."""
        return self.pack.routines[self.now.routine]

    @property
    def version(self) -> Version:
        """The version of the routine under way."""
        return next(v for v in self.routine.versions if v.name == self.now.version)

    @property
    def habits(self) -> CoachingOptions:
        """What holds of the routines now: the settings, and what was changed by voice."""
        return self.now.habits or self.coaching

    @property
    def counts(self) -> int:
        """Counts of a hold: as the user wants it, else as its version does."""
        wanted, usual = self.habits.hold_seconds, CoachingOptions().hold_seconds
        own = self.version.hold_seconds if self.now.version else None
        return own if own is not None and wanted == usual else wanted

    @property
    def place(self) -> State:
        """Where to come back to from a detour that begins now, or that goes on."""
        return self.now.place if self.now.state in DETOURS else self.now.state

    def slot(self, name: str) -> str:
        """Return a slot of the utterance that is being answered; empty if it has none."""
        return self.event.slots.get(name, "") if isinstance(self.event, UtteranceHeard) else ""

    @property
    def intent(self) -> str:
        """The intent of the utterance that is being answered; empty for other events."""
        return self.event.intent if isinstance(self.event, UtteranceHeard) else ""

    @property
    def hold_position_seconds(self) -> float | None:
        """Position in the running hold in seconds; None outside a count."""
        return getattr(self.event, "hold_position_seconds", None)

    def number(self, count: int) -> str:
        """Return the spoken word of a number."""
        words = self.pack.prompts.numbers
        return words[min(max(count, 0), len(words) - 1)]

    # What changes

    def know(self, **changes: Any) -> Turn:
        """Return a turn that knows these fields of Dialogue differently."""
        return replace(self, now=replace(self.now, **changes))

    def go(self, state: State, **changes: Any) -> Turn:
        """Return a turn in another state."""
        return self.know(state=state, **changes)

    # What is done

    def do(self, *actions: Action) -> Turn:
        """Return a turn with more actions."""
        return replace(self, actions=self.actions + actions)

    def hush(self, *, after_word: bool = False) -> Turn:
        """Stop the sound, at once or after the word that sounds, and forget what was queued."""
        return self.do(Hush(after_word))

    def say(self, key: str, nth: int = 0, **slots: str) -> Turn:
        """Speak a prompt."""
        return self.speak(self.pack.prompts.line(key, nth), **slots)

    def speak(self, line: Line, **slots: str) -> Turn:
        """Speak a line of the language pack."""
        return self.do(Say(line.key, self.filled(line, **slots), self.now.pace))

    def interject(self, key: str, **slots: str) -> Turn:
        """Speak a few words between two counts."""
        line = self.pack.prompts.line(key)
        return self.do(Interject(line.key, self.filled(line, **slots)))

    def rest(self, seconds: float) -> Turn:
        """Queue a silence, longer when the talk was asked to be slower."""
        return self.do(Wait(round(seconds / self.now.pace, 3)))

    def count(self, start: int = 0) -> Turn:
        """Queue the counted hold from a count on."""
        hold = Hold(self.counts, self.habits.count_style, self.now.beat, start)
        return self.do(Count(hold, self.pack.prompts.numbers))

    def filled(self, line: Line, **slots: str) -> str:
        """Return a line's words with side, muscle and the given slots in their places."""
        known = dict(slots)
        if self.now.routine:
            known |= {"name": self.routine.name, "opposite": self.routine.opposite}
            sides = self.pack.prompts.sides
            known["side"] = sides.get(self.now.side, "") if self.now.side != "both" else ""
        return fill(line.text, known)
