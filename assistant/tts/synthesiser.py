"""What every voice is: the protocol that turns text into PCM, whatever is behind it.

A backend is a file of its own in this package (`pyttsx3_voice`). `cache` keeps and levels what a
backend renders, `fallback` stands in where it fails, and `session.voices` puts them together.
"""

import re
from dataclasses import dataclass
from typing import Protocol

from assistant.audio.pcm import Pcm


def is_speakable(text: str) -> bool:
    """Return whether a text holds anything that a voice can say."""
    return re.search(r"\w", text) is not None


class Synthesiser(Protocol):
    """Anything that turns a line into sound."""

    def render(self, text: str, pace: float = 1.0) -> Pcm:
        """Return the spoken text; `pace` 0.8 is slower. Raises SynthesiserError."""
        ...


class NamedSynthesiser(Synthesiser, Protocol):
    """A synthesiser whose sound can be kept: its name is part of the key."""

    @property
    def name(self) -> str:
        """All that decides the sound but text and pace."""
        ...


@dataclass(frozen=True, slots=True)
class VoiceInfo:
    """One voice of the machine."""

    name: str
    """What to put into the settings."""
    description: str
    """For people."""
