"""Conversations by text, one reply a turn, as Home Assistant's pipeline has them.

All that Charley would say until it is the user's turn again becomes one text, counted holds
included; time passes only while that is spoken. Between two turns it stands still: what nobody
could hear must not have happened.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from assistant.clock import Clock, VirtualClock
from assistant.dialogue.events import Event, UtteranceMissed
from assistant.dialogue.state import State
from assistant.playback.captions import Caption, CaptionTimeline
from assistant.session import factory
from assistant.session.hooks import Watch
from assistant.session.scripted_user import awaits_user
from assistant.session.shared import SharedParts

PAUSE = " ... "
"""Between two counts: most voices pause at it, and Charley's own makes it a whole second."""
_LONGEST_SECONDS = 180.0
"""A turn that is not over by then leaves the rest to the next one."""
_KEPT = 1_000
"""Conversations; of those that nothing protects, the one silent longest is forgotten first."""
IDLE_SECONDS = 900.0
"""Silence after which a conversation is over."""
WARNED_SECONDS = 12 * 3600.0
"""The same after a warning or an open safety question: coaching must not begin again."""
_KEPT_PER_PEER = 200
"""The same for one address; a conversation beyond it is answered but not kept."""
_PROTECTED = frozenset({State.TRIAGE, State.WARNED, State.OFFERING})


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
        self._last = ""
        """The last text that was not empty."""
        self._watch = watch
        captions = CaptionTimeline(self._heard.append)
        self._play = factory.text_session(
            shared.language, shared.settings, captions, self._clock, watch=self._noted
        )
        self._session = self._play.session
        self._play.start(first_time=False)
        self._until_user()

    @property
    def is_running(self) -> bool:
        """True while a routine or a question is under way."""
        return self._session.now.state is not State.IDLE

    @property
    def is_protected(self) -> bool:
        """True after a warning, until the person is okay, and while a safety question is open."""
        return self._session.now.state in _PROTECTED

    def say(self, text: str) -> Reply:
        """Answer one utterance."""
        was_idle, self._was_missed = self._session.now.state is State.IDLE, False
        self._play.say(text)
        reply = self._reply(handled=not (was_idle and self._was_missed))
        return replace(reply, text=reply.text or self._instead_of_silence())

    def go_on(self) -> Reply:
        """Go on by itself, after `next_seconds` of silence."""
        self._play.run_next(float("inf"))
        return self._reply(handled=True)

    def _reply(self, *, handled: bool) -> Reply:
        text, due = self._until_user(), self._session.next_timer_at
        self._last = text or self._last
        if handled and text and self._parts.is_new():
            self._parts.note_told()
            text = f"{text} {self._parts.safety_note}"
        return Reply(text, handled, None if due is None else max(0.0, due - self._clock.now()))

    def _instead_of_silence(self) -> str:
        """Return what a satellite says where Charley keeps silent: a turn must have an answer.

        What was said last while something is under way, such as a warning; else how to begin.
        """
        if self.is_running and self._last:
            return self._last
        return self._parts.language.pack.prompts.line("nothing.running").text

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


@dataclass(frozen=True, slots=True)
class _Kept:
    """A conversation between two turns."""

    talk: TextTalk
    at: float
    """When its last turn was."""
    peer: str
    """The address that it came from."""

    @property
    def seconds_to_keep(self) -> float:
        """Silence after which it is over."""
        return WARNED_SECONDS if self.talk.is_protected else IDLE_SECONDS


class Turns:
    """All conversations by text of one process, by the key of their person."""

    def __init__(self, shared: SharedParts, clock: Clock, watch: Watch | None = None) -> None:
        self._parts = shared
        self._clock = clock
        self._watch = watch
        self._talks: OrderedDict[str, _Kept] = OrderedDict()
        """The one that was silent longest comes first."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._talks)

    def say(self, key: str, text: str, peer: str = "") -> Reply:
        """Answer somebody's utterance; several threads may ask. `peer` is the sender's address."""
        return self._with(key, peer, lambda talk: talk.say(text))

    def go_on(self, key: str, peer: str = "") -> Reply:
        """Let somebody's conversation go on by itself."""
        return self._with(key, peer, TextTalk.go_on)

    def _with(self, key: str, peer: str, work: Callable[[TextTalk], Reply]) -> Reply:
        with self._lock:
            now = self._clock.now()
            self._forget(now)
            kept = self._talks.pop(key, None)
            talk = kept.talk if kept else TextTalk(self._parts, self._watch)
            reply = work(talk)
            if kept or self._makes_room(peer):
                self._talks[key] = _Kept(talk, now, kept.peer if kept else peer)
            return reply

    def _forget(self, now: float) -> None:
        """Drop the conversations that are over."""
        for key, kept in list(self._talks.items()):
            if now - kept.at >= kept.seconds_to_keep:
                del self._talks[key]

    def _makes_room(self, peer: str) -> bool:
        """Make room for another conversation; False if all that could go are protected.

        The idle go first, then those silent longest; a peer at its limit loses one of its own.
        """
        own = [key for key, kept in self._talks.items() if kept.peer == peer]
        if len(own) >= _KEPT_PER_PEER:
            return self._drop_one(own)
        return len(self._talks) < _KEPT or self._drop_one(list(self._talks))

    def _drop_one(self, keys: list[str]) -> bool:
        free = [key for key in keys if not self._talks[key].talk.is_protected]
        if not free:
            return False
        del self._talks[min(free, key=lambda key: self._talks[key].talk.is_running)]
        return True
