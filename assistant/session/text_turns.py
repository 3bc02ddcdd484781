"""Conversations by text, one reply a turn, as Home Assistant's pipeline has them.

All that Charley would say until it is the user's turn again becomes one text, counted holds
included; time passes only while that is spoken. Between two turns it stands still: what nobody
could hear must not have happened.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from assistant.clock import Clock, VirtualClock
from assistant.dialogue.events import Event, UtteranceMissed
from assistant.dialogue.state import State
from assistant.playback.captions import Caption, CaptionTimeline
from assistant.session import factory
from assistant.session.remote_voice import Watch
from assistant.session.scripted_user import awaits_user
from assistant.session.shared import SharedParts

PAUSE = " ... "
"""Between two counts: most voices pause at it, and Charley's own makes it a whole second."""
_LONGEST_SECONDS = 180.0
"""A turn that is not over by then leaves the rest to the next one."""
_KEPT = 1_000
"""Conversations; the one that has been silent longest is forgotten first."""
IDLE_SECONDS = 900.0
"""A conversation that was silent so long is over."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What Charley answers in one turn."""

    text: str
    handled: bool
    """False for what was not understood while nothing was under way: another may try."""
    next_seconds: float | None
    """When Charley would go on by itself, from the end of the text; None if it waits."""


class TextTalk:
    """One conversation by text."""

    def __init__(self, shared: SharedParts, watch: Watch | None = None) -> None:
        self._parts = shared
        self._heard: list[Caption] = []
        self._clock = VirtualClock()
        self._was_missed = False
        self._watch = watch
        captions = CaptionTimeline(self._heard.append)
        self._play = factory.text_session(
            shared.language, shared.settings, captions, self._clock, watch=self._noted
        )
        self._session = self._play.session
        self._play.start(first_time=False)
        self._until_user()

    def say(self, text: str) -> Reply:
        """Answer one utterance."""
        was_idle, self._was_missed = self._session.now.state is State.IDLE, False
        self._play.say(text)
        return self._reply(handled=not (was_idle and self._was_missed))

    def go_on(self) -> Reply:
        """Go on by itself, after `next_seconds` of silence."""
        self._play.run_next(float("inf"))
        return self._reply(handled=True)

    def _reply(self, *, handled: bool) -> Reply:
        text, due = self._until_user(), self._session.next_timer_at
        if handled and text and self._parts.is_new():
            self._parts.note_told()
            text = f"{text} {self._parts.safety_note}"
        return Reply(text, handled, None if due is None else max(0.0, due - self._clock.now()))

    def _until_user(self) -> str:
        """Let Charley speak until it is the user's turn; return what was said."""
        self._heard.clear()
        end = self._clock.now() + _LONGEST_SECONDS
        while not awaits_user(self._session.now) and self._play.run_next(end):
            pass
        return written(self._heard)

    def _noted(self, event: Event, actions: object) -> None:
        self._was_missed = self._was_missed or isinstance(event, UtteranceMissed)
        if self._watch:
            self._watch(event, actions)  # type: ignore[arg-type]


def written(heard: list[Caption]) -> str:
    """Return captions as one text; the counts of a hold with pauses between them."""
    parts: list[str] = []
    is_counting = False
    for caption in heard:
        if caption.kind == "chime":
            continue
        if caption.kind == "count" and is_counting:
            parts[-1] += PAUSE + caption.text
        else:
            parts.append(caption.text)
        is_counting = caption.kind == "count"
    return " ".join(_sentence(part) for part in parts)


def _sentence(text: str) -> str:
    ending = "" if text.endswith((".", "?", "!")) else "."
    return text[:1].upper() + text[1:] + ending


class Turns:
    """All conversations by text of one process, by the key of their person."""

    def __init__(self, shared: SharedParts, clock: Clock, watch: Watch | None = None) -> None:
        self._parts = shared
        self._clock = clock
        self._watch = watch
        self._talks: OrderedDict[str, tuple[float, TextTalk]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._talks)

    def say(self, key: str, text: str) -> Reply:
        """Answer somebody's utterance; several threads may ask."""
        return self._with(key, lambda talk: talk.say(text))

    def go_on(self, key: str) -> Reply:
        """Let somebody's conversation go on by itself."""
        return self._with(key, TextTalk.go_on)

    def _with(self, key: str, work: Callable[[TextTalk], Reply]) -> Reply:
        with self._lock:
            now = self._clock.now()
            self._forget(now)
            _, talk = self._talks.pop(key, (now, None))
            talk = talk or TextTalk(self._parts, self._watch)
            self._talks[key] = (now, talk)
            return work(talk)

    def _forget(self, now: float) -> None:
        while self._talks:
            at, _ = next(iter(self._talks.values()))
            if len(self._talks) < _KEPT and now - at < IDLE_SECONDS:
                return
            self._talks.popitem(last=False)
