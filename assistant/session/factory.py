"""The one place where a conversation is put together from its parts, as the settings ask."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

from assistant.asr.near_talker import NearTalker
from assistant.asr.voice_activity import VoiceActivityGate
from assistant.asr.vosk_recogniser import SpeechModel, VoskRecogniser
from assistant.audio.pcm import DEFAULT_RATE
from assistant.clock import Clock
from assistant.content import homophones, language_pack, prompts, ui_text
from assistant.content.language_pack import LanguagePack
from assistant.content.routines import HELPER, POSITIONS
from assistant.content.ui_text import UiText
from assistant.dialogue.actions import Listen, SetVolume
from assistant.dialogue.table import TRANSITIONS
from assistant.dialogue.turn import CoachingOptions, DialogueState, State
from assistant.errors import IntentDataError, ModelError, SynthesiserError
from assistant.nlu.cache import KeptSentences
from assistant.nlu.intents import Intents
from assistant.nlu.matcher import Matcher
from assistant.nlu.result import NoMatch
from assistant.paths import cache_folder, intents_folder
from assistant.playback.outputs import Output
from assistant.playback.timeline import Timeline
from assistant.session.hooks import KeepFact, Said, Tell, Watch
from assistant.session.listening import ContextListener
from assistant.session.session import Session
from assistant.session.spoken import SpokenConversation
from assistant.session.timed import TimedConversation
from assistant.settings import Settings
from assistant.speech_models import catalogue
from assistant.speech_models.decoding_graph import is_extensible
from assistant.tts.synthesiser import CachedVoice, Pyttsx3Voice, Usual


@dataclass(frozen=True, slots=True)
class Language:
    """All that is said and understood in one language."""

    folder: Path
    pack: LanguagePack
    intents: Intents
    matcher: Matcher
    keep: Callable[[], None]
    """Lets the next start have the phrases that were gathered in this one."""
    is_new: bool
    """True if its sentences are others than the last time, or the first."""


def language(settings: Settings) -> Language:
    """Load the user's language; IntentDataError names file and line of a mistake."""
    folder = intents_folder(settings.language)
    kept, words = (
        KeptSentences(folder / "sentences", cache_folder() / "sentences"),
        language_pack.load(folder),
    )
    sentences = kept.intents
    _check(sentences, words, folder)
    if not sys.platform.startswith("linux"):  # the choices are voices of espeak-ng
        words = replace(words, voices=replace(words.voices, choices={}))
    kept.keep()
    return Language(folder, words, sentences, Matcher(sentences), kept.keep, kept.are_new)


def wording(settings: Settings) -> UiText:
    """Load what is written in the user's language; IntentDataError names file and line."""
    return ui_text.load(intents_folder(settings.language) / "pages.yaml")


def _check(sentences: Intents, words: LanguagePack, folder: Path) -> None:
    """Refuse a sentence that nobody could answer; IntentDataError names file and line."""
    flags = words.red_flags
    known: dict[str, Collection[str]] = {
        "intent": {*TRANSITIONS[State.IDLE], *flags.flags},
        "topic": {"words", *(key.removeprefix("answer.") for key in words.prompts.lines)},
        "triage": flags.questions,
        "position": {*POSITIONS, HELPER},
    }
    for template in sentences.blocks():
        named = {**template.block.slots, "intent": template.block.intent}
        for kind in known.keys() & named.keys():
            if named[kind] not in known[kind]:
                place = f"{folder / 'sentences' / template.file}, line {template.line}"
                raise IntentDataError(
                    f"{place}: Charley has no answer to the {kind} “{named[kind]}”."
                )


def coaching(settings: Settings) -> CoachingOptions:
    """Return what the user set of the routines."""
    return CoachingOptions(
        hold_seconds=settings.hold_seconds,
        count_style=settings.count,
        terse=settings.terse,
        rounds=settings.rounds,
        checkin_seconds=settings.checkin_seconds,
        voice=settings.voice or "",
    )


def beginning(settings: Settings) -> DialogueState:
    """Return what the conversation knows before it begins."""
    return DialogueState(pace=settings.pace, volume=settings.volume)


# --- Sessions ------------------------------------------------------------------------------------


def session(
    language: Language,
    settings: Settings,
    output: Output,
    *,
    start: DialogueState | None = None,
    listen: Callable[[Listen], None] | None = None,
    watch: Watch | None = None,
    remember: KeepFact | None = None,
) -> Session:
    """Return a session that somebody else drives; `start` None is what the settings say."""
    return Session(
        language.pack,
        language.matcher,
        coaching(settings),
        output,
        start=start or beginning(settings),
        watch=watch,
        listen=listen,
        remember=remember,
    )


def voice_session(
    language: Language,
    settings: Settings,
    output: Output,
    listener: ContextListener | None,
    *,
    watch: Watch | None = None,
    remember: KeepFact | None = None,
    own_words: Callable[[], str] | None = None,
) -> SpokenConversation:
    """Return a conversation by sound; `listener` None if it is typed after all.

    `own_words` returns what Charley is saying now, where the microphone can hear it.
    """
    made = session(
        language,
        settings,
        output,
        listen=listener.listen if listener else None,
        watch=watch,
        remember=remember,
    )
    return SpokenConversation(made, output, listener, own_words)


def text_session(
    language: Language,
    settings: Settings,
    output: Output,
    clock: Clock,
    *,
    start: DialogueState | None = None,
    said: Said | None = None,
    watch: Watch | None = None,
    remember: KeepFact | None = None,
) -> TimedConversation:
    """Return a conversation by text; `said` gets each utterance before it is answered."""
    made = session(language, settings, output, start=start, watch=watch, remember=remember)
    return TimedConversation(made, output, clock, said)


def deaf_session(
    pack: LanguagePack,
    options: CoachingOptions,
    output: Output,
    start: DialogueState | None = None,
) -> Session:
    """Return a session that is told intents, not words, such as for a sound file."""
    return Session(pack, _Deaf(), options, output, start=start)


class _Deaf:
    """Understands nothing."""

    def match(self, text: str, context: frozenset[str] | None = None) -> NoMatch:  # noqa: ARG002
        return NoMatch(text, "only intents are understood here")


# --- Speaking ------------------------------------------------------------------------------------


def timeline(settings: Settings, tell: Tell, rate: int = DEFAULT_RATE) -> Timeline:
    """Return a timeline with Charley's voice at the user's volume. SynthesiserError."""
    made = Timeline(voice(settings, tell), rate, settings.lead_in_seconds, voices(settings, tell))
    made.perform(SetVolume(settings.volume))
    return made


def voice(settings: Settings, tell: Tell) -> CachedVoice:
    """Return Charley's voice; `tell` gets one sentence if its cache cannot be written."""
    return CachedVoice(uncached_voice(settings, tell), cache_folder() / "speech", tell)


def uncached_voice(settings: Settings, tell: Tell) -> Pyttsx3Voice:
    """Return Charley's voice for what is said but once; `tell` is told if it is the usual one."""
    named = language_pack.voices(intents_folder(settings.language))
    usual = Usual(named.charley, named.system)

    def called(name: str) -> Pyttsx3Voice:
        return Pyttsx3Voice(name, settings.words_per_minute, usual=usual)

    try:
        return called(settings.voice or "")
    except SynthesiserError as error:
        # One that was only asked for by voice is no reason to fall silent.
        if settings.voice not in named.choices:
            raise
        tell(f"{error} Charley speaks with its usual voice.")
        return called("")


def voices(settings: Settings, tell: Tell) -> Callable[[str], CachedVoice]:
    """Return what makes Charley's voice by its name, "" for the usual one."""
    return lambda name: voice(replace(settings, voice=name or None), tell)


# --- Listening -----------------------------------------------------------------------------------


def listener(
    language: Language, settings: Settings, model: SpeechModel | None = None
) -> ContextListener:
    """Return a listener to a stream that is known to be speech, or little else. ModelError."""
    return ContextListener(recogniser(settings, model), language.intents)


def microphone_listener(
    language: Language, settings: Settings, model: SpeechModel | None = None
) -> ContextListener:
    """Return a listener to a microphone that is always open: silence is not decoded. ModelError."""
    return ContextListener(VoiceActivityGate(recogniser(settings, model)), language.intents)


def speech_model(settings: Settings) -> SpeechModel:
    """Load the speech model; ModelError names what is missing, broken, or of another language."""
    model = SpeechModel(model_folder(settings))
    require_language(model, settings)
    return model


def recogniser(settings: Settings, model: SpeechModel | None = None) -> NearTalker:
    """Return a recogniser on a model that several may share, or on one of its own. ModelError."""
    alike = homophones.load(intents_folder(settings.language) / "speech.yaml")
    return NearTalker(VoskRecogniser(model or speech_model(settings), (), homophones=alike))


def model_folder(settings: Settings) -> Path:
    """Return the model that the user named, else the best with the language in its name."""
    usual = catalogue.find(settings.model)
    if settings.model is not None or _is_named_for(settings.language, usual):
        return usual
    there = (entry.folder for entry in catalogue.listed() if entry.folder)
    return next((path for path in there if _is_named_for(settings.language, path)), usual)


def unknown_words(model: SpeechModel, sentences: Intents) -> str:
    """Return a sentence on what may be said but is never heard, with the mend; "" if nothing."""
    lacking = [word for word in sentences.words() if not model.knows(word)]
    if not lacking:
        return ""
    some = ", ".join(f"“{word}”" for word in lacking[:5])
    more = f" and {len(lacking) - 5} more words" if len(lacking) > 5 else ""
    mend = (
        "`charley models build` makes one that does"
        if is_extensible(model.path)
        else "sentences with them are not heard"
    )
    return f"The speech model does not know {some}{more}; {mend}."


def tell_unknown_words(model: SpeechModel, found: Language, tell: Tell) -> None:
    """Tell of words that are never heard, if the sentences are new: to look takes 0.75 s."""
    if found.is_new and (lacking := unknown_words(model, found.intents)):
        tell(lacking)


def _is_named_for(language: str, folder: Path) -> bool:
    """Tell it by names such as vosk-model-small-de-0.15."""
    return language.lower() in folder.name.lower().replace("_", "-").split("-")


def require_language(model: SpeechModel, settings: Settings) -> None:
    """Refuse a model that lacks most of the words from one to ten: it would only mis-hear."""
    numbers = prompts.load(intents_folder(settings.language) / "prompts.yaml").numbers[1:11]
    if 2 * sum(map(model.knows, numbers)) < len(numbers):
        raise ModelError(
            f'The speech model {model.path.name} is not for the language "{settings.language}"; '
            "give one that is with --model FOLDER, from https://alphacephei.com/vosk/models."
        )
