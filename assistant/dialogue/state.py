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
    """It was asked which muscle, or in which position."""
    TRIAGE = "triage"
    """A safety question was asked, yes or no."""
    GUIDING = "guiding"
    """A step was spoken; "okay" or a pause leads on."""
    HOLDING = "holding"
    """The cue is being spoken or the hold counted."""
    CHECKING = "checking"
    """It was asked: gone, still there, or worse?"""
    RESTING = "resting"
    """The short rest between two rounds, or plan B."""
    EASING = "easing"
    """It is gone: walk, jog, ease in."""
    FOLLOWING = "following"
    """It was asked, minutes later, how it is."""
    PAUSED = "paused"
    """Until "carry on"."""
    WARNED = "warned"
    """A red flag was raised: no coaching until the person says that they are okay."""
    OFFERING = "offering"
    """The person is okay again; it was asked whether to carry on."""


COACHING = frozenset(
    {State.GUIDING, State.HOLDING, State.CHECKING, State.RESTING, State.EASING, State.PAUSED}
)
"""The states in which a routine is under way."""

QUESTIONS = frozenset(
    {State.ASKING, State.TRIAGE, State.CHECKING, State.FOLLOWING, State.PAUSED, State.OFFERING}
)
"""The states that wait for an answer and reprompt after silence."""

DETOURS = frozenset({State.TRIAGE, State.PAUSED, State.WARNED, State.OFFERING})
"""The states that lead back to the state that they interrupted."""


@dataclass(frozen=True, slots=True)
class CoachingOptions:
    """What the user, or a test, may set of the coaching."""

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
    """Silence after a question before it is put again (as long as Alexa listens)."""
    checkin_seconds: float = 240.0
    """From "gone" to "how is it?"; 0 turns the check-in off."""
    long_seconds: float = 600.0
    """A cramp that lasts this long needs help, not coaching (NHS)."""
    jumpy_seconds: float = 3600.0
    """How long a cramp that is named again counts as the last one come back: the muscle's
    threshold stays lowered for an hour (Miller 2017)."""


@dataclass(frozen=True, slots=True)
class DialogueState:
    """All that the conversation knows."""

    state: State = State.IDLE
    speaking: bool = False
    """True while something is queued or being played."""

    # --- The cramp ---
    muscle: str = ""
    """As in the routines' files, or "thigh" until it is known which part; empty if unknown."""
    side: str = ""
    """"left", "right" or "both"; empty if unknown."""
    position: str = ""
    """How the person stands, sits or lies, as in the routines' files; empty if unknown."""
    toes: str = ""
    """"up" if the toes are pulled up; empty otherwise."""
    pregnant: bool = False
    routine: str = ""
    """Key of the routine under way, or of the last one."""
    version: str = ""
    """Name of its version under way."""

    # --- Where in the routine ---
    step: int = 0
    """Index of the step that was spoken last."""
    confirmed: bool = False
    """True if the step that is being spoken was confirmed; the next follows without a pause."""
    unsaid: tuple[str, ...] = ()
    """Keys of the opening's lines, and of a release, that were cut short and are still due."""
    round: int = 0
    """Rounds done in this position."""
    ladder: int = 0
    """What is being tried: 0 the first position, 1 another position, 2 plan B."""
    counts_done: int = 0
    """Counts done before a hold was interrupted."""
    beat: float = 1.0
    """Seconds between two counts."""
    gentle: bool = False
    """True to hold with less effort."""
    one_more: bool = False
    """True if another round was asked for during the hold."""
    rests: int = 0
    """Rests taken in this cramp."""
    checks: int = 0
    """How often it was asked how this cramp feels."""

    # --- What was asked, and where to return to ---
    return_state: State = State.IDLE
    """The state that an interruption left."""
    requested_slot: str = ""
    """What was asked for: "muscle", "position", or "thigh" (which part of it); empty for none."""
    invited: bool = False
    """True while idle after Charley asked where it cramps: the muscle alone is answer enough."""
    already_asked: frozenset[str] = frozenset()
    """Slots and safety questions that are not asked again in this cramp."""
    safety_questions: tuple[str, ...] = ()
    """Safety questions still to be answered; the first was put last."""
    wants_help: bool = False
    """True if help was called for; the safety question comes first."""

    # --- Safety ---
    red_flag: str = ""
    """The last red flag that was raised."""
    barred: frozenset[tuple[str, str]] = frozenset()
    """Limbs that are not worked on again in this session, each with its side (empty: unknown)."""
    barred_before: frozenset[tuple[str, str]] = frozenset()
    """The same before the last red flag, in case it was misheard."""
    times_worse: int = 0
    """How often it got worse in this cramp."""
    replies: int = 0
    """How often something was acknowledged during a warning; it varies the words."""
    warning_repeats: int = 0
    """How often the warning was repeated."""

    # --- The talk ---
    misses: int = 0
    """Utterances in a row that were not understood."""
    silences: int = 0
    """Questions in a row that were not answered."""
    is_waiting_quietly: bool = False
    """True once Charley has said that it will wait quietly."""
    last_lines: tuple[Say, ...] = ()
    """The lines of the last turn that spoke, for "repeat"."""
    recent: tuple[str, ...] = ()
    """The last two texts that were queued for speaking."""
    pace: float = 1.0
    """Speaking rate relative to the voice's usual one."""
    volume: float = 1.0
    """From 0.0 (silent) to 1.0 (full)."""
    topic: str = ""
    """What was asked about last, for "more"."""
    answer_lines_said: int = 0
    """How many lines of its answer were said."""
    changed_options: CoachingOptions | None = None
    """The options since the user changed some by voice; None if that was never done."""
    earlier_options: tuple[CoachingOptions, ...] = ()
    """The options before each change, for "undo"."""
    newcomer: bool = False
    """True if this is the first session ever: openings are longer."""

    # --- The session ---
    routines_begun: int = 0
    returns: int = 0
    """How often this cramp came back."""
    eased_at: float | None = None
    """Session time at which the last routine ended; None before."""
    listening: Listen | None = None
    """What the recogniser was last told to listen for; None before the first time."""

    @property
    def context(self) -> frozenset[str] | None:
        """The context in which utterances are understood now; None before the first event."""
        return self.listening.context if self.listening else None
