"""What a session speaks through: one protocol for sound, captions and sound that is sent ahead."""

from __future__ import annotations

from typing import Protocol

from assistant.dialogue.actions import Action
from assistant.dialogue.events import Event

REACTION_SECONDS = 1.5
"""Whoever answers this soon after a line began means the line before: it takes time to hear, to
speak and to be understood."""


class Output(Protocol):
    """Something that performs actions and can be moved through time."""

    def perform(self, action: Action) -> None:
        """Queue, lay in or drop sound or text as the action asks."""

    @property
    def hold_position_seconds(self) -> float | None:
        """Position in the running hold in seconds; None outside a count."""

    @property
    def lines_left(self) -> int:
        """How many spoken lines were not heard to their end."""

    @property
    def next_at(self) -> float | None:
        """When to advance next; None if nothing is queued, or if a sound card sets the time."""

    def advance(self, to: float) -> Event | None:
        """Play up to a time, but no further than the next event, and return that."""
