"""Check everything that a spoken conversation needs, and name the fix for what is wrong."""

from __future__ import annotations

import math
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from assistant.asr.hypothesis import RATE
from assistant.asr.vosk_recogniser import SpeechModel, VoskRecogniser
from assistant.audio import ducking
from assistant.audio.devices import output_rate
from assistant.audio.microphone import Microphone
from assistant.audio.pcm import FULL_SCALE, Pcm, Samples, concatenate, silence
from assistant.audio.shaping import resample
from assistant.audio.speaker import Speaker
from assistant.dialogue.actions import Chime
from assistant.errors import AssistantError, DeviceError, ModelError, SynthesiserError
from assistant.paths import cache_folder, settings_file
from assistant.playback.timeline import Timeline
from assistant.session import factory, speech_model, voices
from assistant.session.factory import Language
from assistant.settings import Settings
from assistant.tts.synthesiser import Synthesiser

LISTEN_SECONDS = 2.0
QUIET_DECIBELS = -70.0
"""Relative to full scale; no room is quieter: the microphone is muted or set too low."""
_WITHOUT_SOUND = "Until then `charley type` and `charley demo` work."


class Grade(StrEnum):
    """The state of a part."""

    OK = "ok"
    WARNING = "warning"
    """Charley works, with limits."""
    MISSING = "missing"
    """Spoken conversations do not work without it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one part."""

    part: str
    grade: Grade
    text: str
    """What was found, or what is wrong and how to fix it; one or two sentences."""


def examine(load: Callable[[], Settings]) -> Iterator[Finding]:
    """Yield a finding for each part as soon as it is known; `load` reads the settings."""
    settings = Settings()
    try:
        settings = load()
    except AssistantError as error:
        yield Finding("settings", Grade.MISSING, str(error))
    else:
        yield Finding("settings", Grade.OK, _where_settings_are())
    yield from _Examination(settings).findings()


def _where_settings_are() -> str:
    file = settings_file()
    return str(file) if file.is_file() else f"{file} is not there, which is fine: defaults hold"


class _Examination:
    """One check of everything, with the given settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._voice: Synthesiser | None = None
        self._language: Language | None = None

    def findings(self) -> Iterator[Finding]:
        yield self._looked("language", Grade.MISSING, self._intents)
        yield self._looked("cache", Grade.WARNING, self._cache)
        yield self._looked("voice", Grade.MISSING, self._speech)
        yield self._looked("model", Grade.MISSING, self._hearing)
        yield self._looked("speaker", Grade.WARNING, self._speaker)
        yield self._looked("music", Grade.OK, self._music)
        yield self._looked("microphone", Grade.WARNING, self._microphone)

    def _looked(self, part: str, grade: Grade, look: Callable[[], Finding | str]) -> Finding:
        """Return what a check found; an error is a finding of the given grade."""
        try:
            found = look()
        except DeviceError as error:
            return Finding(part, grade, f"{error} {_WITHOUT_SOUND}")
        except AssistantError as error:
            return Finding(part, grade, str(error))
        except OSError as error:
            fix = "make it writable, or every line is rendered again at each start"
            return Finding(part, grade, f"{error.filename}: {error.strerror}; {fix}.")
        return found if isinstance(found, Finding) else Finding(part, Grade.OK, found)

    def _intents(self) -> str:
        self._language = language = factory.language(self._settings)
        routines = len(language.pack.routines)
        return f"{len(language.intents.templates)} sentences, {routines} routines"

    def _cache(self) -> str:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(1 << 16))
        return str(folder)

    def _speech(self) -> str:
        voice = voices.voice(factory.pack(self._settings), self._settings, lambda _sentence: None)
        seconds = voice.render("Charley.").seconds
        if seconds < 0.1:
            raise SynthesiserError("The voice is silent; choose another one with --voice.")
        self._voice = voice
        return f"{voice.name} words a minute"

    def _hearing(self) -> Finding | str:
        folder = speech_model.folder(self._settings)
        model = SpeechModel(folder)
        if self._voice is None or self._language is None:
            raise ModelError(f"{folder} loads; what it hears was not tried without a voice.")
        speech_model.require_language(model, self._language.pack, self._settings.language)
        word = self._language.pack.voices.check_word
        heard = listen(model, self._language.intents.phrases(None), self._voice.render(word))
        if word in heard.split():
            hears = f"{folder}, hears “{word}”"
            lacking = speech_model.unknown_words(model, self._language.intents)
            return Finding("model", Grade.WARNING, f"{hears}. {lacking}") if lacking else hears
        fix = "`charley models get` downloads a better one"
        return Finding(
            "model", Grade.WARNING, f"{folder} takes “{word}” for “{heard or 'nothing'}”; {fix}."
        )

    def _speaker(self) -> Finding | str:
        rate = output_rate(self._settings.speaker)
        timeline = Timeline(_Mute(), rate)
        with Speaker(timeline, self._settings.speaker) as speaker:
            timeline.perform(Chime("heard"))
            over = threading.Event()
            for _ in range(100):
                if timeline.is_idle:
                    description = (
                        f"{speaker.device.name}, {rate} hertz, {speaker.latency_seconds:.2f} s"
                    )
                    return _with_gaps("speaker", description, speaker.underflows)
                over.wait(0.02)
        raise DeviceError(f'The speaker "{speaker.device.name}" plays nothing; choose another.')

    def _music(self) -> Finding | str:
        if not self._settings.lower_music:
            return "stays as it is while Charley speaks, as set"
        try:
            timeline = Timeline(_Mute(), output_rate(self._settings.speaker))
            with Speaker(timeline, self._settings.speaker):
                others = ducking.lowerable_streams()
        except DeviceError as error:
            return f"stays as it is. {error}"
        if others is None:
            return "stays as it is: the speaker is not played through PulseAudio or PipeWire"
        return f"is lowered while Charley speaks (of other programs, {others} now)"

    def _microphone(self) -> Finding | str:
        with Microphone(self._settings.microphone) as microphone:
            name = microphone.device.name
            blocks: list[Samples] = []
            while sum(map(len, blocks)) < LISTEN_SECONDS * RATE:
                block = microphone.read(1.0)
                if block is None:
                    break
                blocks.append(block)
        trouble, decibels = level(np.concatenate(blocks) if blocks else np.zeros(0, np.int16))
        if trouble:
            return Finding("microphone", Grade.WARNING, f"{name} {trouble}")
        gaps = microphone.overflows + microphone.dropped_blocks
        return _with_gaps("microphone", f"{name}, {decibels:.0f} dB", gaps)


def _with_gaps(part: str, description: str, gaps: int) -> Finding | str:
    """Return a device's description, or a warning if its sound had gaps."""
    if not gaps:
        return description
    return Finding(
        part, Grade.WARNING, f"{description}, but {gaps} gaps in its sound; close other programs."
    )


def listen(model: SpeechModel, phrases: tuple[str, ...], word: Pcm) -> str:
    """Return what a model recognises in a spoken word."""
    recogniser = VoskRecogniser(model, phrases)
    pad = silence(RATE // 2, RATE)
    heard = recogniser.feed(concatenate([pad, resample(word, RATE), pad]).samples)
    return " ".join(h.text for h in [*heard, *recogniser.finish()] if h.final)


def level(samples: Samples) -> tuple[str, float]:
    """Return what is wrong with a microphone's sound ("" if nothing), and its decibels."""
    if not len(samples):
        return "gives no sound; allow this program to record, or choose another one.", -math.inf
    signal = samples.astype(np.float64) / FULL_SCALE
    power = float(np.mean(signal**2))
    decibels = 10 * math.log10(power) if power else -math.inf
    if not power:
        return "gives pure silence; unmute it, or allow this program to record.", decibels
    if decibels < QUIET_DECIBELS:
        return f"is very quiet ({decibels:.0f} dB); raise its level or come closer.", decibels
    if float(np.mean(np.abs(signal) > 0.99)) > 0.01:
        return f"is too loud ({decibels:.0f} dB) and distorts; lower its level.", decibels
    return "", decibels


class _Mute:
    """A voice for a timeline that only chimes."""

    def render(self, text: str, pace: float = 1.0) -> Pcm:  # noqa: ARG002
        raise SynthesiserError("Nothing is spoken here.")
