"""How Charley describes itself: its services, for Home Assistant to offer."""

from __future__ import annotations

from typing import Any

from wyoming.info import (
    AsrModel,
    AsrProgram,
    Attribution,
    HandleModel,
    HandleProgram,
    Info,
    TtsProgram,
    TtsVoice,
)

from assistant import __version__
from assistant.session.shared import SharedParts

NAME = "charley"
_VOSK = Attribution("Charley, on Vosk", "https://alphacephei.com/vosk")
_ESPEAK = Attribution("The voice of this system, by pyttsx3", "https://pyttsx3.readthedocs.io")
_OWN = Attribution("Charley", "")


def describe(parts: SharedParts) -> Info:
    """Return all services with their languages and voices."""
    languages = [parts.settings.language]
    there: dict[str, Any] = {"installed": True, "version": __version__}
    model = parts.model.path.name
    return Info(
        asr=[
            AsrProgram(
                name=NAME,
                description="Hears what is said to Charley, and nothing else",
                models=[
                    AsrModel(
                        name=model,
                        description=model,
                        languages=languages,
                        attribution=_VOSK,
                        **there,
                    )
                ],
                supports_transcript_streaming=True,
                attribution=_VOSK,
                **there,
            )
        ],
        handle=[
            HandleProgram(
                name=NAME,
                description="Talks somebody through a muscle cramp",
                models=[
                    HandleModel(
                        name=NAME,
                        description="Charley",
                        languages=languages,
                        attribution=_OWN,
                        **there,
                    )
                ],
                attribution=_OWN,
                **there,
            )
        ],
        tts=[
            TtsProgram(
                name=NAME,
                description="Charley's voice, counts exactly a second apart",
                voices=[
                    TtsVoice(
                        name=name,
                        description=name,
                        languages=languages,
                        attribution=_ESPEAK,
                        **there,
                    )
                    for name in parts.speakers
                ],
                supports_synthesize_streaming=True,
                attribution=_ESPEAK,
                **there,
            )
        ],
    )
