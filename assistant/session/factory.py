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
from assistant.content import language_pack
from assistant.content.language_pack import LanguagePack
from assistant.content.routines import HELPER, POSITIONS
from assistant.dialogue.actions import Listen, SetVolume
from assistant.dialogue.state import CoachingOptions, DialogueState
from assistant.dialogue.triggers import KNOWN_INTENTS
from assistant.errors import IntentDataError
from assistant.nlu.cache import CachedIntents
from assistant.nlu.intents import Intents
from assistant.nlu.matcher import Matcher
from assistant.nlu.result import NoMatch
from assistant.paths import cache_folder, intents_folder
from assistant.playback.outputs import Output
from assistant.playback.timeline import Timeline
from assistant.session import speech_model, voices
from assistant.session.hooks import KeepFact, Said, Tell, Watch
from assistant.session.listening import ContextListener
from assistant.session.session import Session
from assistant.session.spoken import SpokenConversation
from assistant.session.timed import TimedConversation
from assistant.settings import Settings
from assistant.tts.synthesiser import Synthesiser


@dataclass(frozen=True, slots=True)
class Language:
    """All that is said and understood in one language."""

    folder: Path
    pack: LanguagePack
    intents: Intents
    matcher: Matcher
    keep: Callable[[], None]
    """Saves the phrases that were sampled, for the next start."""
    is_new: bool
    """True if its sentences have changed since the last start, or were never loaded."""


def language(settings: Settings) -> Language:
    """Load the user's language; IntentDataError names file and line of a mistake."""
    folder = intents_folder(settings.language)
    kept, words = (
        CachedIntents(folder / "sentences", cache_folder() / "sentences"),
        language_pack.load(folder),
    )
    sentences = kept.intents
    _check(sentences, words, folder)
    if not sys.platform.startswith("linux"):  # the choices are voices of espeak-ng
        words = replace(words, voices=replace(words.voices, choices={}))
    kept.save()
    return Language(folder, words, sentences, Matcher(sentences), kept.save, kept.is_new)


def pack(settings: Settings) -> LanguagePack:
    """Load what is said in the user's language, without what is understood. IntentDataError."""
    return language_pack.load(intents_folder(settings.language))


def _check(sentences: Intents, words: LanguagePack, folder: Path) -> None:
    """Refuse a sentence that nobody could answer; IntentDataError names file and line."""
    flags = words.red_flags
    known: dict[str, Collection[str]] = {
        "intent": {*KNOWN_INTENTS, *flags.flags},
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


def coaching_options(settings: Settings) -> CoachingOptions:
    """Return what the user set of the routines."""
    return CoachingOptions(
        hold_seconds=settings.hold_seconds,
        count_style=settings.count,
        terse=settings.terse,
        rounds=settings.rounds,
        checkin_seconds=settings.checkin_seconds,
        voice=settings.voice or "",
    )


def initial_state(settings: Settings) -> DialogueState:
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
        coaching_options(settings),
        output,
        start=start or initial_state(settings),
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


# --- Speaking and listening ----------------------------------------------------------------------


def timeline(
    pack: LanguagePack,
    settings: Settings,
    tell: Tell,
    *,
    rate: int = DEFAULT_RATE,
    voice: Synthesiser | None = None,
    in_real_time: bool = True,
) -> Timeline:
    """Return a timeline at the user's volume; `voice` None is Charley's own. SynthesiserError.

    `in_real_time` False if nobody waits for the sound: a slow machine then gets its time.
    """
    voice = voice or voices.voice(pack, settings, tell, in_real_time=in_real_time)
    named = voices.by_name(pack, settings, tell)
    made = Timeline(voice, rate, settings.lead_in_seconds, named)
    made.perform(SetVolume(settings.volume))
    return made


def recogniser(pack: LanguagePack, model: SpeechModel) -> NearTalker:
    """Return a recogniser on a model that several may share."""
    return NearTalker(VoskRecogniser(model, (), homophones=pack.homophones))


def listener(language: Language, model: SpeechModel) -> ContextListener:
    """Return a listener to a stream that is known to be speech, or little else."""
    return ContextListener(recogniser(language.pack, model), language.intents)


def microphone_recogniser(pack: LanguagePack, model: SpeechModel) -> VoiceActivityGate:
    """Return a recogniser for a microphone that is always open: silence is not decoded."""
    return VoiceActivityGate(recogniser(pack, model))


def microphone_listener(language: Language, model: SpeechModel) -> ContextListener:
    """Return a listener to a microphone that is always open."""
    return ContextListener(microphone_recogniser(language.pack, model), language.intents)


def tell_unknown_words(model: SpeechModel, language: Language, tell: Tell) -> None:
    """Report words that are never heard, if the sentences are new."""
    if language.is_new and (lacking := speech_model.unknown_words(model, language.intents)):
        tell(lacking)
