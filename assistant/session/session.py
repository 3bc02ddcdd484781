"""A running conversation: events in, steps of the dialogue, actions out. It has no loop of its own.

Its driver (the keyboard, the microphone, a recording) sets the time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from assistant.content.language_pack import LanguagePack
from assistant.dialogue.actions import Action, CancelTimer, Listen, Remember, SetTimer
from assistant.dialogue.events import Event, TimerFired, UtteranceHeard, UtteranceMissed
from assistant.dialogue.machine import step
from assistant.dialogue.state import CoachingOptions, DialogueState
from assistant.nlu.result import Match, NoMatch
from assistant.playback.outputs import Output
from assistant.session.hooks import KeepFact, Watch


class Understanding(Protocol):
    """What knows the meaning of an utterance: the matcher."""

    def match(self, text: str, context: frozenset[str] | None = None) -> Match | NoMatch:
        """Return what an utterance means in a context; None is every context at once."""


class Session:
    """One conversation with one person."""

    def __init__(
        self,
        pack: LanguagePack,
        matcher: Understanding,
        coaching: CoachingOptions,
        output: Output,
        *,
        start: DialogueState | None = None,
        watch: Watch | None = None,
        listen: Callable[[Listen], None] | None = None,
        remember: KeepFact | None = None,
    ) -> None:
        """`watch` sees every event with its actions; `listen` and `remember` perform theirs."""
        self.now = start or DialogueState()
        self._pack = pack
        self._matcher = matcher
        self._coaching = coaching
        self._output = output
        self._watch = watch
        self._listen = listen
        self._remember = remember
        self._timers: dict[str, float] = {}
        self._early_intent = ""

    def handle(self, event: Event) -> None:
        """Answer one event and perform what the dialogue asks for."""
        self.now, actions = step(self.now, event, self._pack, self._coaching)
        if self._watch:
            self._watch(event, actions)
        for action in actions:
            self._perform(action, event.at)

    def _perform(self, action: Action, at: float) -> None:
        if isinstance(action, SetTimer):
            self._timers[action.name] = at + action.seconds
        elif isinstance(action, CancelTimer):
            self._timers.pop(action.name, None)
        elif isinstance(action, Listen):
            if self._listen:
                self._listen(action)
        elif isinstance(action, Remember):
            if self._remember:
                self._remember(action.name, action.value)
        else:
            self._output.perform(action)

    # Time

    @property
    def next_timer_at(self) -> float | None:
        """When the next timer runs out; None if none is set."""
        return min(self._timers.values(), default=None)

    def fire(self, at: float) -> None:
        """Answer every timer that has run out by now, earliest first."""
        while (due := self.next_timer_at) is not None and due <= at:
            name = min(self._timers, key=lambda key: (self._timers[key], key))
            del self._timers[name]
            self.handle(TimerFired(due, name))

    # What was said

    def meaning(self, text: str) -> str:
        """Return the intent that an utterance has in any context; empty for none."""
        found = self._matcher.match(text)
        return found.intent if isinstance(found, Match) else ""

    def understand(self, text: str) -> Match | NoMatch:
        """Return what an utterance means just now."""
        return self._matcher.match(text, self.now.context)

    def hear(self, text: str, at: float) -> None:
        """Answer a whole utterance, such as one that was typed."""
        self.answer(text, self.understand(text), at)

    def answer(
        self, text: str, meaning: Match | NoMatch, at: float, *, addressed: bool = True
    ) -> None:
        """Answer a whole utterance whose meaning is known; `addressed` if it was for Charley."""
        early, self._early_intent = self._early_intent, ""
        if not isinstance(meaning, Match):
            if not early:
                self.handle(UtteranceMissed(at, text, addressed))
        elif meaning.intent != early:
            self.handle(self._heard(meaning, at, is_early=False))

    def answer_early(self, meaning: Match, at: float) -> bool:
        """Answer a stable partial hypothesis if it may cut Charley short; True if it did."""
        if self._early_intent or not meaning.barge_in:
            return False
        self._early_intent = meaning.intent
        self.handle(self._heard(meaning, at, is_early=True))
        return True

    def command(self, intent: str, at: float) -> None:
        """Answer what was asked for without words, such as by a button."""
        hold, left = self._output.hold_position_seconds, self._output.lines_left
        self.handle(UtteranceHeard(at, "", intent, hold_position_seconds=hold, lines_left=left))

    def _heard(self, found: Match, at: float, *, is_early: bool) -> UtteranceHeard:
        hold = self._output.hold_position_seconds
        left = self._output.lines_left
        return UtteranceHeard(at, found.text, found.intent, found.slots, hold, left, is_early)
