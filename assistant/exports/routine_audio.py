"""A routine as one sound file, for a phone or a watch.

The real dialogue speaks it, to a runner who answers for the listener: still there until the rounds
are done, then gone. A file cannot hear, so what asks or promises to listen is left out.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from assistant.audio.pcm import Pcm, Samples
from assistant.content.language_pack import LanguagePack
from assistant.content.prompts import Line
from assistant.content.routines import HELPER, POSITIONS, Routine, find
from assistant.dialogue.actions import Action, Say, Wait
from assistant.dialogue.events import Event, UtteranceHeard
from assistant.dialogue.state import CoachingOptions, DialogueState, State
from assistant.errors import RoutineError
from assistant.playback.captions import CaptionTimeline
from assistant.playback.outputs import Output
from assistant.playback.timeline import Timeline
from assistant.playback.timeline_output import TimelineOutput
from assistant.session import factory
from assistant.session.session import Session

SIDES = ("left", "right", "both")

LEFT_OUT = ("check.", "triage.clear", "gone.listening", "gone.twitch", "opening.flags")
"""Key prefixes of lines that ask, or promise to listen."""
_THINK_SECONDS = 3.0
"""Silence after a safety question, for the answer."""
_FEEL_SECONDS = 1.5
"""Silence in place of "is it gone?"."""
_END_SECONDS = 0.5
_BLOCK_SECONDS = 0.02
_LONGEST_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be rendered."""

    routine: Routine
    side: str = ""
    position: str = ""

    @property
    def slots(self) -> Mapping[str, str]:
        """The slots of the utterance that asks for it."""
        named = {
            "muscle": self.routine.muscle, "toes": self.routine.toes,
            "side": "both" if self.routine.both else self.side,
            "position": self.position or ("standing" if self.routine.both else ""),
        }  # fmt: skip
        return {name: value for name, value in named.items() if value}


def wish(pack: LanguagePack, name: str, side: str = "", position: str = "") -> Wish:
    """Return what a routine's file name, its muscle or its spoken name asks for. RoutineError."""
    side = side and _one_of("side", side, SIDES)
    names = _names(pack)
    routine = names[_one_of("routine", name, names)]
    position = position and _one_of("position", position, positions(routine))
    if routine.both and side in ("left", "right"):
        raise RoutineError(f"{routine.id} is for both sides; leave out --side {side}.")
    if side == "both" and not routine.both:
        routine = find(pack.routines, routine.muscle, both=True, toes=routine.toes) or routine
    return Wish(routine, side, position)


def positions(routine: Routine) -> tuple[str, ...]:
    """Return the positions of a routine; a helper only where a version serves one."""
    has_helper = any(HELPER in version.serves for version in routine.versions)
    return (*POSITIONS, HELPER) if has_helper else POSITIONS


def _names(pack: LanguagePack) -> Mapping[str, Routine]:
    """Return routines by file name, spoken name and muscle; the earlier name wins."""
    routines = pack.routines.values()
    muscles = {_key(r.muscle): r for r in routines if not (r.both or r.toes)}
    spoken = {_key(r.name): r for r in routines}
    return muscles | spoken | dict(pack.routines)


def _key(name: str) -> str:
    return "_".join(name.lower().replace("-", " ").replace("_", " ").split())


def _one_of(what: str, value: str, known: Iterable[str]) -> str:
    """Return a value in the language pack's spelling; RoutineError names the nearest one."""
    key, names = _key(value), sorted(set(known))
    if key in names:
        return key
    near = difflib.get_close_matches(key, names, 1)
    hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(names)}."
    raise RoutineError(f'There is no {what} "{value[:40]}"; {hint}')


def render(
    pack: LanguagePack,
    wish: Wish,
    coaching: CoachingOptions,
    timeline: Timeline,
    *,
    start: DialogueState | None = None,
    progress: Callable[[float], None] = lambda _share: None,
) -> Pcm:
    """Return the routine as `timeline` plays it; counts begin on whole seconds of their hold.

    `progress` gets the share that is done, 0 to 1. Raises SynthesiserError.
    """
    recorded: list[Samples] = []
    expected = _expected_seconds(coaching)

    def move(_session: Session) -> float:
        recorded.append(timeline.read(round(_BLOCK_SECONDS * timeline.rate)))
        at = timeline.position_samples / timeline.rate
        progress(min(1.0, at / expected))
        return at

    tape = _Tape(TimelineOutput(timeline), pack.prompts.line("about.safety"))
    session = factory.deaf_session(pack, coaching, tape, start)
    _perform(session, tape, wish, coaching, move)
    recorded.append(timeline.read(round(_END_SECONDS * timeline.rate)))
    progress(1.0)
    return Pcm(np.concatenate(recorded), timeline.rate)


def script(
    pack: LanguagePack, wish: Wish, coaching: CoachingOptions, *, start: DialogueState | None = None
) -> tuple[Action, ...]:
    """Return what a routine's file says, counts and waits for, without rendering sound."""
    captions = CaptionTimeline()

    def move(session: Session) -> float:
        due = (captions.next_at, session.next_timer_at)
        return min((at for at in due if at is not None), default=_LONGEST_SECONDS + 1.0)

    tape = _Tape(captions, pack.prompts.line("about.safety"))
    session = factory.deaf_session(pack, coaching, tape, start)
    _perform(session, tape, wish, coaching, move)
    return tuple(tape.performed)


def _perform(
    session: Session,
    tape: _Tape,
    wish: Wish,
    coaching: CoachingOptions,
    move: Callable[[Session], float],
) -> None:
    """Let the dialogue speak the routine to its end.

    `move` plays on to what comes next and returns the time then, in seconds.
    """
    intent = "stitch" if wish.routine.muscle == "stitch" else "cramp"
    session.handle(UtteranceHeard(0.0, "", intent, wish.slots))
    while session.now.state is not State.IDLE or session.now.speaking:
        at = move(session)
        if at > _LONGEST_SECONDS:
            raise RoutineError(f"The routine {wish.routine.id} does not come to an end.")
        while (event := tape.advance(at)) is not None:
            session.handle(event)
        session.fire(at)
        if (answer := _answer(session.now, coaching.rounds)) is not None:
            session.handle(UtteranceHeard(at, "", answer))


def _expected_seconds(coaching: CoachingOptions) -> float:
    return 45.0 + coaching.rounds * (coaching.hold_seconds + 18.0)


def _answer(now: DialogueState, rounds: int) -> str | None:
    """Return the intent of what the listener would say now; None if nothing."""
    if now.speaking:
        return None
    if now.state is State.CHECKING:
        return "still_hurts" if now.round + 1 < rounds else "relief_gone"
    return {State.TRIAGE: "no", State.ASKING: "yes"}.get(now.state)


def speech(text: str, timeline: Timeline) -> Pcm:
    """Return one line as `timeline` plays it, lead-in and volume included. SynthesiserError."""
    timeline.perform(Say("say", text))
    recorded: list[Samples] = []
    while not timeline.is_idle:
        recorded.append(timeline.read(round(_BLOCK_SECONDS * timeline.rate)))
    return Pcm(np.concatenate(recorded), timeline.rate)


class _Tape:
    """The output, without the lines that a file must not say."""

    def __init__(self, output: Output, note: Line) -> None:
        """`note` is the safety note; it is said in the first rest, or else at the end."""
        self.performed: list[Action] = []
        self._output = output
        self._note: Line | None = note

    @property
    def hold_position_seconds(self) -> float | None:
        """Position in the running hold in seconds; None outside a count."""
        return self._output.hold_position_seconds

    @property
    def lines_left(self) -> int:
        """How many spoken lines have not been heard to their end."""
        return self._output.lines_left

    @property
    def next_at(self) -> float | None:
        """When to advance next; None if nothing is queued."""
        return self._output.next_at

    def advance(self, to: float) -> Event | None:
        """Play up to a time, but no further than the next event, and return that."""
        return self._output.advance(to)

    def perform(self, action: Action) -> None:
        """Perform an action; what asks becomes a silence."""
        if not isinstance(action, Say):
            self._pass_on(action)
            return
        if not action.key.startswith(LEFT_OUT):
            self._pass_on(action)
        if action.key.startswith("triage.") and not action.key.startswith(LEFT_OUT):
            self._pass_on(Wait(_THINK_SECONDS))
        if action.key.startswith("check."):
            self._pass_on(Wait(_FEEL_SECONDS))
        # Not before the first hold: nobody listens to a note while the cramp is at its worst.
        if self._note and action.key.startswith(("rest.", "gone.listening")):
            self._pass_on(Say(self._note.key, self._note.text, action.pace))
            self._note = None

    def _pass_on(self, action: Action) -> None:
        self.performed.append(action)
        self._output.perform(action)
