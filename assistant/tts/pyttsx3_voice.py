"""The voices of this machine, through pyttsx3: espeak-ng on Linux, elsewhere the system's own."""

import difflib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from assistant.audio.pcm import Pcm
from assistant.errors import SynthesiserError
from assistant.tts import engine_thread
from assistant.tts.engine_thread import ENGINE_THREAD, uses_espeak
from assistant.tts.synthesiser import VoiceInfo, is_speakable

DEFAULT_WORDS_PER_MINUTE = 165
SHORTEST_PART = 3
"""Letters of a voice's name that are enough to find it by."""
LONGEST_TEXT = 5000
"""Characters; about six minutes of speech, more than any prompt."""
RENDER_TIMEOUT_SECONDS = 20.0
"""The longest that anything may take."""
PATIENCE = 40
"""How many times longer a line may take when nobody waits for it; the slowest machine tried, an
emulated Raspberry Pi, takes 10 times as long as a desktop."""
LINE_TIMEOUT_SECONDS, LETTER_TIMEOUT_SECONDS = 3.0, 0.02
"""What a line may take, for the whole and for each letter: a hundred times what it usually does."""
ESPEAK_ALIASES = {"en-gb": "en", "en-uk": "en", "english": "en", "default": "en"}


@dataclass(frozen=True, slots=True)
class DefaultVoice:
    """The voice that speaks if none is chosen."""

    espeak: str = "default"
    """A name under espeak-ng, on Linux."""
    system: str = ""
    """Part of a name on other systems; the system's own choice if none has it."""


DEFAULT_VOICE = DefaultVoice()


class Pyttsx3Voice:
    """A voice of this machine, rendered off-line."""

    def __init__(
        self,
        voice: str = "",
        words_per_minute: int = DEFAULT_WORDS_PER_MINUTE,
        timeout_seconds: float = RENDER_TIMEOUT_SECONDS,
        default: DefaultVoice = DEFAULT_VOICE,
        *,
        in_real_time: bool = True,
    ) -> None:
        """Choose a voice by name, "" for the default. SynthesiserError if it is unknown.

        `in_real_time` False if nobody waits for the sound: a slow machine then gets its time.
        """
        self._in_real_time = in_real_time
        self._timeout_seconds = timeout_seconds
        self._words_per_minute = words_per_minute
        self._voice = ENGINE_THREAD.do(lambda: _engine_voice(voice, default), timeout_seconds)
        self.name = f"{sys.platform} {self._voice} {words_per_minute}"

    def render(self, text: str, pace: float = 1.0) -> Pcm:
        """Return the spoken text as the engine made it, silence at both ends included."""
        spoken = _speakable(text)
        rate = round(self._words_per_minute * pace)
        seconds = LINE_TIMEOUT_SECONDS + LETTER_TIMEOUT_SECONDS * len(spoken)
        if not self._in_real_time:
            seconds *= PATIENCE
        else:
            seconds = min(seconds, self._timeout_seconds)
        return ENGINE_THREAD.do(
            lambda: engine_thread.render(spoken, self._voice, rate, seconds), seconds + 1.0
        )


def _speakable(text: str) -> str:
    """Return text without control characters; raises SynthesiserError if empty or too long."""
    clean = re.sub(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff]+", " ", text).strip()
    clean = clean.encode("utf-8", "ignore").decode("utf-8")
    if not is_speakable(clean):
        raise SynthesiserError("There is nothing to speak in this text.")
    if len(clean) > LONGEST_TEXT:
        raise SynthesiserError(
            f"The text is too long to speak: {len(clean)} characters, at most {LONGEST_TEXT}."
        )
    return clean


def voices() -> list[VoiceInfo]:
    """Return the voices that can be chosen. Raises SynthesiserError."""
    return ENGINE_THREAD.do(_list_voices, RENDER_TIMEOUT_SECONDS)


def _list_voices() -> list[VoiceInfo]:
    engine = ENGINE_THREAD.engine()
    listed = [
        VoiceInfo(
            str(voice.id).rsplit("/", 1)[-1] if uses_espeak(engine) else str(voice.id),
            str(voice.name),
        )
        for voice in engine.getProperty("voices")
    ]
    return sorted(listed, key=lambda voice: (not voice.name.startswith("en"), voice.name))


def _variants() -> dict[str, str]:
    """Return espeak-ng's voice variants, lower-case name to real name ("f3", "annie": "Annie")."""
    data = os.environ.get("ESPEAK_DATA_PATH", "/usr/lib/x86_64-linux-gnu/espeak-ng-data")
    folder = Path(data) / "voices" / "!v"
    return {path.name.lower(): path.name for path in folder.glob("*") if path.is_file()}


def _espeak_voice(wanted: str, there: list[VoiceInfo]) -> str:
    """Return the engine's name for a voice such as "en-gb", "scotland" or "en-us+f3"."""
    base, _, variant = wanted.strip().lower().rpartition("/")[2].partition("+")
    base = ESPEAK_ALIASES.get(base, base)
    known = [voice.name for voice in there]
    if base not in known:
        found = _by_part(base, there)
        if found is None:
            raise _unknown_voice(wanted, [*known, *ESPEAK_ALIASES])
        base = found
    variants = _variants() if variant else {}
    if variant and variant not in variants:
        raise _unknown_voice(wanted, [f"{base}+{name}" for name in variants])
    return f"{base}+{variants[variant]}" if variant else base


def _by_part(wanted: str, there: list[VoiceInfo]) -> str | None:
    """Return the first voice whose name or description holds the words."""
    part = wanted.strip().lower()
    fits = (v.name for v in there if part in v.name.lower() or part in v.description.lower())
    return next(fits, None) if len(part) >= SHORTEST_PART else None


def _unknown_voice(wanted: str, known: list[str]) -> SynthesiserError:
    near = difflib.get_close_matches(wanted.lower(), known, n=3, cutoff=0.4)
    hint = (
        f"did you mean {' or '.join(near)}?"
        if near
        else '"charley devices --voices" lists the voices.'
    )
    return SynthesiserError(f'There is no voice "{wanted}"; {hint}')


def _engine_voice(wanted: str, default: DefaultVoice) -> str | None:
    """Return what to set as the engine's voice, or None to leave it; only for jobs."""
    there = _list_voices()
    if uses_espeak(ENGINE_THREAD.engine()):
        return _espeak_voice(wanted or default.espeak, there)
    if not wanted:
        return _by_part(default.system, there)
    found = _by_part(wanted, there)
    if found is None:
        raise _unknown_voice(wanted, [voice.description for voice in there])
    return found
