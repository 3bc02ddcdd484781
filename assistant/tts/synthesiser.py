"""Words in, PCM out: the voices of this machine, and a cache that keeps what they said."""

import difflib
import hashlib
import os
import re
import sys
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from assistant.atomic_file import write_whole
from assistant.audio.pcm import Pcm, from_int16, to_int16
from assistant.audio.shaping import fade, trim_silence
from assistant.errors import SynthesiserError
from assistant.tts import engine_thread
from assistant.tts.engine_thread import ROOM, uses_espeak

DEFAULT_WORDS_PER_MINUTE = 165
SHORTEST_PART = 3
"""Letters of a voice's name that are enough to find it by."""
MEMORY_BYTES = 8_000_000
"""Of lines kept in memory: three minutes of speech, more than a routine has."""
LONGEST_TEXT = 5000
"""Characters; about six minutes of speech, more than any prompt."""
RENDER_TIMEOUT_SECONDS = 20.0
"""The most that anything may take."""
LINE_TIMEOUT_SECONDS, LETTER_TIMEOUT_SECONDS = 3.0, 0.02
"""What a line may take: a hundred times of what it does, for somebody waits for it."""

SPEECH_RMS = 0.16
"""Loudness that every line is brought to, relative to full scale, measured where it is loud."""
SPEECH_PEAK = 0.9


class Synthesiser(Protocol):
    """Anything that turns a line into sound."""

    def render(self, text: str, pace: float = 1.0) -> Pcm:
        """Return the spoken text; `pace` 0.8 is slower. Raises SynthesiserError."""
        ...


class NamedSynthesiser(Synthesiser, Protocol):
    """A synthesiser that can say which engine, voice and rate it is, for a cache's key."""

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


@dataclass(frozen=True, slots=True)
class Usual:
    """The voice of who has not chosen one."""

    espeak: str = "default"
    """A name under espeak-ng, on Linux."""
    system: str = ""
    """Part of a name on other systems; the system's own choice if none has it."""


USUAL = Usual()


# --- Voices --------------------------------------------------------------------------------------


def voices() -> list[VoiceInfo]:
    """Return the voices that can be chosen. Raises SynthesiserError."""
    return ROOM.do(_list_voices, RENDER_TIMEOUT_SECONDS)


def _list_voices() -> list[VoiceInfo]:
    engine = ROOM.engine()
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


ESPEAK_ALIASES = {"en-gb": "en", "en-uk": "en", "english": "en", "default": "en"}


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


def _engine_voice(wanted: str, usual: Usual) -> str | None:
    """Return what to set as the engine's voice, or None to leave it; only for jobs."""
    there = _list_voices()
    if uses_espeak(ROOM.engine()):
        return _espeak_voice(wanted or usual.espeak, there)
    if not wanted:
        return _by_part(usual.system, there)
    found = _by_part(wanted, there)
    if found is None:
        raise _unknown_voice(wanted, [voice.description for voice in there])
    return found


# --- Rendering -----------------------------------------------------------------------------------


class Pyttsx3Voice:
    """A voice of this machine, rendered off-line."""

    def __init__(
        self,
        voice: str = "",
        words_per_minute: int = DEFAULT_WORDS_PER_MINUTE,
        timeout_seconds: float = RENDER_TIMEOUT_SECONDS,
        usual: Usual = USUAL,
    ) -> None:
        """Choose a voice by name, "" for the usual one. SynthesiserError if it is unknown."""
        self._timeout_seconds = timeout_seconds
        self._words_per_minute = words_per_minute
        self._voice = ROOM.do(lambda: _engine_voice(voice, usual), timeout_seconds)
        self.name = f"{sys.platform} {self._voice} {words_per_minute}"

    def render(self, text: str, pace: float = 1.0) -> Pcm:
        """Return the spoken text as the engine made it, silence at both ends included."""
        spoken = _speakable(text)
        rate = round(self._words_per_minute * pace)
        seconds = LINE_TIMEOUT_SECONDS + LETTER_TIMEOUT_SECONDS * len(spoken)
        seconds = min(seconds, self._timeout_seconds)
        return ROOM.do(
            lambda: engine_thread.render(spoken, self._voice, rate, seconds), seconds + 1.0
        )


def _speakable(text: str) -> str:
    """Return text without control characters; raises SynthesiserError if empty or too long."""
    clean = re.sub(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff]+", " ", text).strip()
    clean = clean.encode("utf-8", "ignore").decode("utf-8")
    if not re.search(r"\w", clean):
        raise SynthesiserError("There is nothing to speak in this text.")
    if len(clean) > LONGEST_TEXT:
        raise SynthesiserError(
            f"The text is too long to speak: {len(clean)} characters, at most {LONGEST_TEXT}."
        )
    return clean


def level(pcm: Pcm) -> Pcm:
    """Return speech trimmed to its audible part and brought to one loudness."""
    pcm = trim_silence(pcm)
    signal = from_int16(pcm.samples)
    if not len(signal):
        return pcm
    loud = signal[np.abs(signal) > 0.1 * np.abs(signal).max()]
    gain = min(SPEECH_RMS / float(np.sqrt(np.mean(loud**2))), SPEECH_PEAK / np.abs(signal).max())
    return fade(Pcm(to_int16(signal * gain), pcm.rate), out_seconds=0.005)


# --- The cache -----------------------------------------------------------------------------------


class CachedVoice:
    """A voice whose lines are rendered once, trimmed and levelled, and kept in memory and on disk.

    A disk that is full or read-only and a damaged entry do no harm: the line is rendered again and
    kept in memory; `warn` is told once, in a sentence.
    """

    VERSION = 1
    """Part of every key: raise it when what is stored changes."""

    def __init__(
        self,
        voice: NamedSynthesiser,
        folder: Path | None,
        warn: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        """Keep PCM in `folder`; None keeps it in memory only."""
        self._voice = voice
        self._folder = folder
        self._warn = warn
        self._warned = False
        self._memory: OrderedDict[str, Pcm] = OrderedDict()
        self.name = voice.name

    def render(self, text: str, pace: float = 1.0) -> Pcm:
        """Return the spoken text, from its audible onset to its audible end."""
        key = self._key(text, pace)
        known = self._memory.get(key) or self._read(key)
        if known is None:
            known = level(self._voice.render(text, pace))
            self._store(key, known)
        self._keep(key, known)
        return known

    def _keep(self, key: str, pcm: Pcm) -> None:
        """Keep the lines that were spoken last; the rest can be read or rendered again."""
        self._memory[key] = pcm
        self._memory.move_to_end(key)
        while sum(kept.samples.nbytes for kept in self._memory.values()) > MEMORY_BYTES:
            self._memory.popitem(last=False)

    def _key(self, text: str, pace: float) -> str:
        whole = f"{self.VERSION}\0{self._voice.name}\0{pace:.3f}\0{text}"
        return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def _read(self, key: str) -> Pcm | None:
        if self._folder is None:
            return None
        try:
            return _unpack((self._folder / f"{key}.pcm").read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            return None  # Damaged or unreadable: rendered again and replaced.

    def _store(self, key: str, pcm: Pcm) -> None:
        if self._folder is None:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._folder / f"{key}.pcm", _pack(pcm))
        except OSError as error:
            reason = error.strerror or error
            self._tell_once(f"The voice cache {self._folder} cannot be used ({reason}).")

    def _tell_once(self, sentence: str) -> None:
        if not self._warned:
            self._warned = True
            self._warn(sentence)


def _pack(pcm: Pcm) -> bytes:
    """Return rate, checksum and samples; a checksum because a torn write may keep its length."""
    body = pcm.samples.astype("<i2").tobytes()
    return pcm.rate.to_bytes(4, "little") + hashlib.sha256(body).digest()[:12] + body


def _unpack(data: bytes) -> Pcm:
    rate, check, body = int.from_bytes(data[:4], "little"), data[4:16], data[16:]
    if len(data) < 18 or hashlib.sha256(body).digest()[:12] != check:
        raise ValueError("damaged cache entry")
    return Pcm(np.frombuffer(body, "<i2").astype(np.int16), rate)
