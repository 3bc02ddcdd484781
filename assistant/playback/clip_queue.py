"""The clips that are left to play, the one that sounds now first."""

from __future__ import annotations

from collections import deque

from assistant.playback.clip import Clip
from assistant.playback.mixing import Signal, joined

BREATH_SECONDS = 0.3
"""Silence between two spoken lines, which the voice's own trimmed ends no longer have."""


class ClipQueue(deque[Clip]):
    """Clips in the order in which they are played."""

    def add(self, clip: Clip, rate: int) -> None:
        """Queue a clip, with a breath between two lines; `rate` in hertz."""
        if self and self[-1].is_line and clip.is_line:
            self.append(Clip(round(BREATH_SECONDS * rate), counts=False))
        self.append(clip)

    def put_next(self, clip: Clip) -> None:
        """Queue a clip before all that has not begun yet."""
        self.insert(1 if self and self[0].at else 0, clip)

    @property
    def running_hold(self) -> Clip | None:
        """The hold that is counted now, until its last count begins."""
        return self[0] if self and self[0].counting else None

    def lines_left(self, reaction_samples: int) -> int:
        """Return how many lines were not heard to their end.

        One that has just begun leaves two: whoever reacts to a line takes so many samples for it.
        """
        lines = [clip for clip in self if clip.is_line]
        is_fresh = bool(lines) and lines[0].at < reaction_samples
        return len(lines) + is_fresh

    def speaks_within(self, samples: int) -> bool:
        """Return whether a line or a hold is played now, or begins within so many samples."""
        for clip in self:
            if clip.is_line or clip.hold is not None:
                return True
            samples -= clip.left
            if samples < 0:
                break
        return False

    @property
    def due_samples(self) -> int | None:
        """Samples until a hold or all speech finishes next; None if nothing is left to play."""
        before = 0
        for clip in self:
            if clip.counting:
                # It ends with the sample that comes after its whole length.
                return before + clip.hold_samples - clip.at + 1
            before += clip.left
        return max(1, before) if self else None

    def rest(self) -> Signal:
        """Return all that is left to play, without playing it."""
        return joined([clip.mix(clip.at, clip.left) for clip in self])
