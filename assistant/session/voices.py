"""Charley's voices, as the settings and the language choose them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from assistant.content.language_pack import LanguagePack
from assistant.errors import SynthesiserError
from assistant.paths import cache_folder
from assistant.session.hooks import Tell
from assistant.settings import Settings
from assistant.tts.cache import CachedVoice
from assistant.tts.pyttsx3_voice import DefaultVoice, Pyttsx3Voice


def voice(
    pack: LanguagePack, settings: Settings, tell: Tell, *, in_real_time: bool = True
) -> CachedVoice:
    """Return Charley's voice; `tell` gets one sentence if its cache cannot be written.

    `in_real_time` False if nobody waits for the sound: a slow machine then gets its time.
    """
    rendered = uncached(pack, settings, tell, in_real_time=in_real_time)
    return CachedVoice(rendered, cache_folder() / "speech", tell)


def by_name(pack: LanguagePack, settings: Settings, tell: Tell) -> Callable[[str], CachedVoice]:
    """Return what makes Charley's voice by its name, "" for the usual one."""
    return lambda name: voice(pack, replace(settings, voice=name or None), tell)


def uncached(
    pack: LanguagePack, settings: Settings, tell: Tell, *, in_real_time: bool = True
) -> Pyttsx3Voice:
    """Return Charley's voice for what is said only once. SynthesiserError if there is none.

    `tell` gets one sentence if a voice that was chosen by voice is gone and the usual one speaks.
    """
    default = DefaultVoice(pack.voices.charley, pack.voices.system)

    def called(name: str) -> Pyttsx3Voice:
        return Pyttsx3Voice(
            name, settings.words_per_minute, default=default, in_real_time=in_real_time
        )

    try:
        return called(settings.voice or "")
    except SynthesiserError as error:
        # A voice that was only asked for by voice is no reason to fall silent.
        if settings.voice not in pack.voices.choices:
            raise
        tell(f"{error} Charley speaks with its usual voice.")
        return called("")
