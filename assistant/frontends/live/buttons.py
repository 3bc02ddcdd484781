"""What a press of a key or of a headset's button means to the conversation."""

from __future__ import annotations

from enum import StrEnum

from assistant.dialogue.state import State


class Button(StrEnum):
    """What can be pressed."""

    TALK = "talk"
    """Listen to one utterance; pressed again, stop listening."""
    STOP = "stop"
    NEXT = "next"
    BACK = "back"
    REPEAT = "repeat"
    PAUSE = "pause"
    RESUME = "resume"
    PAUSE_OR_RESUME = "pause_or_resume"


def meaning(button: Button, state: State) -> str:
    """Return the intent that a button stands for; TALK stands for none."""
    if button is Button.PAUSE_OR_RESUME:
        button = Button.RESUME if state is State.PAUSED else Button.PAUSE
    return "" if button is Button.TALK else f"control_{button.value}"
