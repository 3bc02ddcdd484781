"""Put the parts together that settings ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assistant import book, downloads, intents
from assistant.book import Book
from assistant.intents import Intents
from assistant.matching import Matcher
from assistant.recogniser import SpeechModel, VoskRecogniser
from assistant.resources import intents_folder
from assistant.settings import Settings, cache_folder
from assistant.synthesiser import CachedVoice, Pyttsx3Voice
from assistant.turn import Coaching, Dialogue


@dataclass(frozen=True, slots=True)
class Language:
    """All that is said and understood in one language."""

    folder: Path
    book: Book
    intents: Intents
    matcher: Matcher


def language(settings: Settings) -> Language:
    """Load the user's language; IntentDataError names file and line of a mistake."""
    folder = intents_folder(settings.language)
    sentences = intents.load(folder / "sentences")
    return Language(folder, book.load(folder), sentences, Matcher(sentences))


def coaching(settings: Settings) -> Coaching:
    """Return what the user set of the routines."""
    return Coaching(
        hold_seconds=settings.hold_seconds,
        count_style=settings.count,
        terse=settings.terse,
        rounds=settings.rounds,
        checkin_seconds=settings.checkin_seconds,
    )


def beginning(settings: Settings) -> Dialogue:
    """Return what the conversation knows before it begins."""
    return Dialogue(pace=settings.pace, volume=settings.volume)


def voice(settings: Settings, tell: Callable[[str], None]) -> CachedVoice:
    """Return Charley's voice; `tell` gets one sentence if its cache cannot be written."""
    spoken = Pyttsx3Voice(settings.voice or "", settings.words_per_minute)
    return CachedVoice(spoken, cache_folder() / "speech", tell)


def recogniser(settings: Settings) -> VoskRecogniser:
    """Load the speech model; ModelError names what is missing or broken."""
    return VoskRecogniser(SpeechModel(downloads.find(settings.model)), ())
