"""An output without sound: captions on virtual time, queued as on the timeline.

It speaks at a runner's pace in virtual seconds, so a conversation of half an hour runs in
milliseconds. The typed conversation and the tests use it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from assistant.dialogue.actions import Action, Chime, Count, Hush, Interject, Say, Wait
from assistant.dialogue.events import Event, HoldFinished, SpeechFinished
from assistant.dialogue.hold import Hold
from assistant.playback.outputs import REACTION_SECONDS

_WORDS_PER_SECOND = 2.7
"""How fast a line is read."""
_PAUSE_SECONDS = 0.35
"""Silence behind a spoken line."""
_CHIME_SECONDS = 0.6
_RATE = 1000
"""Ticks a second in which a hold's cues are laid out."""


@dataclass(frozen=True, slots=True)
class Caption:
    """One piece of text, at the moment when it is heard."""

    at: float
    kind: str
    """"say", "count", "interject" or "chime"."""
    text: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """Something queued: a caption or a marker after a stretch of time."""

    after_seconds: float
    kind: str
    text: str
    hold: Hold | None = None


class CaptionTimeline:
    """Plays captions instead of sound, in the time that its caller gives."""

    def __init__(self, show: Callable[[Caption], None] | None = None) -> None:
        self._show = show or (lambda _caption: None)
        self._queue: deque[_Piece] = deque()
        self._now = 0.0
        self._at = 0.0
        """When the queue's first piece began to wait."""
        self._hold_since: float | None = None
        self._line_since: float | None = None
        self._running = False

    def perform(self, action: Action) -> None:
        """Queue, show or drop captions as the action asks."""
        if not self._queue:
            self._at = self._now
        match action:
            case Say():
                self._line(action)
            case Wait(seconds=seconds):
                self._queue.append(_Piece(seconds, "wait", ""))
            case Count():
                self._count(action)
            case Chime(name=name):
                self._show(Caption(self._now, "chime", name))
            case Interject(text=text):
                self._show(Caption(self._now, "interject", text))
            case Hush():
                self._queue.clear()
                self._hold_since = self._line_since = None
                self._running = False
        self._running = self._running or bool(self._queue)

    def _line(self, action: Say) -> None:
        self._queue.append(_Piece(0.0, "say", action.text))
        seconds = len(action.text.split()) / (_WORDS_PER_SECOND * action.pace)
        self._queue.append(_Piece(seconds + _PAUSE_SECONDS, "wait", ""))

    def _count(self, action: Count) -> None:
        self._queue.append(_Piece(0.0, "hold", "", action.hold))
        before = 0
        for cue in action.hold.cues(_RATE):
            gap = (cue.at_samples - before) / _RATE
            self._queue.append(_Piece(gap, "count", action.words[cue.number]))
            before = cue.at_samples
        self._queue.append(_Piece(0.0, "held", ""))
        self._queue.append(_Piece(_CHIME_SECONDS, "chime", "end"))

    @property
    def next_at(self) -> float | None:
        """When the next piece is due; None if nothing is queued."""
        return self._at + self._queue[0].after_seconds if self._queue else None

    @property
    def hold_position_seconds(self) -> float | None:
        """Position in the running hold in seconds; None outside a count."""
        return None if self._hold_since is None else self._now - self._hold_since

    @property
    def lines_left(self) -> int:
        """How many lines were not read to their end; one that has just begun leaves two."""
        waiting = sum(piece.kind == "say" for piece in self._queue)
        if self._line_since is None:
            return waiting + bool(waiting)
        return waiting + 1 + (self._now - self._line_since < REACTION_SECONDS)

    def advance(self, to: float) -> Event | None:
        """Play up to a time, but no further than the next event, and return that."""
        while (due := self.next_at) is not None and due <= to:
            self._now = due
            event = self._play(self._queue.popleft(), due)
            if event is not None:
                return event
        self._now = to
        return None

    def _play(self, piece: _Piece, at: float) -> Event | None:
        self._at = at
        self._line_since = at if piece.kind == "say" else None
        if piece.kind == "hold":
            self._hold_since = at
        elif piece.kind in ("say", "count", "chime"):
            self._show(Caption(at, piece.kind, piece.text))
        elif piece.kind == "held":
            self._hold_since = None
            return HoldFinished(at)
        if not self._queue and self._running:
            self._running = False
            return SpeechFinished(at)
        return None
