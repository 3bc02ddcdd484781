"""What a session calls: whoever shows it, logs it or is told of a fault."""

from __future__ import annotations

from collections.abc import Callable

from assistant.dialogue.actions import Action
from assistant.dialogue.events import Event
from assistant.playback.captions import Caption

Show = Callable[[Caption], None]
"""Gets each piece of text at the moment when it is heard."""
Tell = Callable[[str], None]
"""Gets one sentence about a fault, for a person."""
Watch = Callable[[Event, tuple[Action, ...]], None]
"""Gets every event with the actions that answer it."""
KeepFact = Callable[[str, str], object]
"""Keeps a fact, by name and value, for later sessions."""
Said = Callable[[float, str], object]
"""Gets each utterance that is typed, at its time, before it is answered."""
