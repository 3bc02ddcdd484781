"""The speech model of a conversation: which one, whether it fits, and what it cannot hear."""

from __future__ import annotations

from pathlib import Path

from assistant.asr.vosk_recogniser import SpeechModel
from assistant.content.language_pack import LanguagePack
from assistant.errors import ModelError
from assistant.nlu.intents import Intents
from assistant.settings import Settings
from assistant.speech_models import catalogue
from assistant.speech_models.decoding_graph import is_extensible


def load(pack: LanguagePack, settings: Settings) -> SpeechModel:
    """Load the speech model; ModelError names what is missing, broken, or of another language."""
    model = SpeechModel(folder(settings))
    require_language(model, pack, settings.language)
    return model


def folder(settings: Settings) -> Path:
    """Return the model that the user named, else the best with the language in its name."""
    usual = catalogue.find(settings.model)
    if settings.model is not None or _is_named_for(settings.language, usual):
        return usual
    there = (entry.folder for entry in catalogue.listed() if entry.folder)
    return next((path for path in there if _is_named_for(settings.language, path)), usual)


def _is_named_for(language: str, path: Path) -> bool:
    """Return whether a folder is named for a language, as vosk-model-small-de-0.15 is."""
    return language.lower() in path.name.lower().replace("_", "-").split("-")


def require_language(model: SpeechModel, pack: LanguagePack, language: str) -> None:
    """Refuse a model that lacks most of the words from one to ten: it would only mishear."""
    numbers = pack.prompts.numbers[1:11]
    if 2 * sum(map(model.knows, numbers)) < len(numbers):
        raise ModelError(
            f'The speech model {model.path.name} is not for the language "{language}"; '
            "give one that is with --model FOLDER, from https://alphacephei.com/vosk/models."
        )


def unknown_words(model: SpeechModel, sentences: Intents) -> str:
    """Return a sentence on words that may be said but are never heard; "" if there are none.

    It takes 0.75 s.
    """
    lacking = [word for word in sentences.words() if not model.knows(word)]
    if not lacking:
        return ""
    some = ", ".join(f"“{word}”" for word in lacking[:5])
    more = f" and {len(lacking) - 5} more words" if len(lacking) > 5 else ""
    advice = (
        "`charley models build` makes one that does"
        if is_extensible(model.path)
        else "sentences with them are not heard"
    )
    return f"The speech model does not know {some}{more}; {advice}."
