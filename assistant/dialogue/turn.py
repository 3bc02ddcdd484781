"""One turn of the conversation: what is known, what happened, and what to do about it.

Nothing here is changed in place. A rule takes a Turn and returns another; the words come from the
language pack, the time from the event.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from assistant.content.language_pack import LanguagePack
from assistant.content.prompts import Line, fill
from assistant.content.routines import Routine, Version
from assistant.dialogue.actions import Action, Count, Hush, Interject, Say, Wait
from assistant.dialogue.events import DeviceFound, Event, Suspended, UtteranceHeard
from assistant.dialogue.hold import Hold
from assistant.dialogue.state import DETOURS, CoachingOptions, DialogueState, State


@dataclass(frozen=True, slots=True)
class Turn:
    """One event being answered."""

    now: DialogueState
    event: Event
    pack: LanguagePack
    coaching: CoachingOptions
    actions: tuple[Action, ...] = field(default=())

    # --- What is known ---

    @property
    def routine(self) -> Routine:
        """The routine under way, or the last one."""
        return self.pack.routines[self.now.routine]

    @property
    def version(self) -> Version:
        """The version of the routine under way."""
        return next(v for v in self.routine.versions if v.name == self.now.version)

    @property
    def options(self) -> CoachingOptions:
        """The options that hold now: the settings, or what the user made of them by voice."""
        return self.now.changed_options or self.coaching

    @property
    def count_target(self) -> int:
        """How many counts a hold has: what the user wants, else what its version says."""
        wanted, usual = self.options.hold_seconds, CoachingOptions().hold_seconds
        own = self.version.hold_seconds if self.now.version else None
        return own if own is not None and wanted == usual else wanted

    @property
    def is_on_foot(self) -> bool:
        """True if the person stands, or may stand, on the muscle that cramps."""
        return self.now.position in ("", "standing") and self.pack.is_on_foot(self.now.muscle)

    @property
    def lines_left(self) -> tuple[Say, ...]:
        """The queued lines that had not been heard to their end when the user spoke."""
        if not isinstance(self.event, UtteranceHeard) or not self.event.lines_left:
            return ()
        return self.now.last_lines[-self.event.lines_left :] if self.now.speaking else ()

    @property
    def is_unfinished(self) -> bool:
        """True if other lines follow the one that the utterance answers."""
        return len(self.lines_left) > 1

    @property
    def return_state(self) -> State:
        """Where to come back to from a detour that begins now, or that goes on."""
        return self.now.return_state if self.now.state in DETOURS else self.now.state

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
        if isinstance(self.event, UtteranceHeard | DeviceFound | Suspended):
            return self.event.hold_position_seconds
        return None

    def hold(self, start: int = 0) -> Hold:
        """Return the hold as it is counted now, from a count on."""
        return Hold(self.count_target, self.options.count_style, self.now.beat, start)

    def number(self, count: int) -> str:
        """Return the spoken word of a number."""
        words = self.pack.prompts.numbers
        return words[min(max(count, 0), len(words) - 1)]

    # --- What changes ---

    def know(self, **changes: Any) -> Turn:
        """Return a turn that knows these fields of the state differently."""
        return replace(self, now=replace(self.now, **changes))

    def go(self, state: State, **changes: Any) -> Turn:
        """Return a turn in another state."""
        return self.know(state=state, **changes)

    # --- What is done ---

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
        """Queue a silence, longer if slower speech was asked for."""
        return self.do(Wait(round(seconds / self.now.pace, 3)))

    def count(self, start: int = 0) -> Turn:
        """Queue the counted hold from a count on."""
        return self.do(Count(self.hold(start), self.pack.prompts.numbers))

    def filled(self, line: Line, **slots: str) -> str:
        """Return a line's words with side, muscle and the given slots in their places."""
        known = dict(slots)
        if self.now.routine:
            known |= {"name": self.routine.name, "opposite": self.routine.opposite}
            sides = self.pack.prompts.sides
            known["side"] = sides.get(self.now.side, "") if self.now.side != "both" else ""
        return fill(line.text, known)
