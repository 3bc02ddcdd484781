"""What the conversation knows: where it is, what is coached, and what the user has set."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assistant.dialogue.actions import Listen, Say
from assistant.dialogue.hold import CountStyle


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
