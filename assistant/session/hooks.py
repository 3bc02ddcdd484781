"""The callbacks of a session: to show it, to log it, and to report faults."""

from __future__ import annotations

from collections.abc import Callable

from assistant.dialogue.actions import Action
from assistant.dialogue.events import Event
from assistant.playback.captions import Caption

Show = Callable[[Caption], None]
"""Gets each caption when it is heard."""
Tell = Callable[[str], None]
"""Gets one sentence about a fault, for a person."""
Watch = Callable[[Event, tuple[Action, ...]], None]
"""Gets every event with the actions that answer it."""
KeepFact = Callable[[str, str], object]
"""Keeps a fact, by name and value, for later sessions."""
Said = Callable[[float, str], object]
"""Gets each utterance that is typed, at its time, before it is answered."""
