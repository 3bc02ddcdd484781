"""A voice that keeps what it said, in memory and on disk, trimmed and at one loudness."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np

from assistant.atomic_file import write_whole
from assistant.audio.pcm import Pcm, from_int16, to_int16
from assistant.audio.shaping import fade, trim_silence
from assistant.regular_file import read_regular
from assistant.tts.synthesiser import NamedSynthesiser

MEMORY_BYTES = 8_000_000
"""Of lines kept in memory: three minutes of speech, more than a routine has."""
SPEECH_RMS = 0.16
"""Loudness that every line is brought to, relative to full scale, measured where it is loud."""
SPEECH_PEAK = 0.9
"""The highest peak, relative to full scale, that levelling may give a line."""
LARGEST_ENTRY_BYTES = 100_000_000
"""Of one line on disk; the longest text that can be spoken takes a quarter of it."""
RATES = range(4_000, 192_001)
"""In hertz: what a voice may render at."""


class CachedVoice:
    """A voice whose lines are rendered once, trimmed and levelled, and kept in memory and on disk.

    A disk that is full or read-only and a damaged entry do no harm: the line is rendered again and
    kept in memory; `warn` gets one sentence, once.
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
            return _unpack(read_regular(self._folder / f"{key}.pcm", LARGEST_ENTRY_BYTES))
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
            self._warn_once(f"The voice cache {self._folder} cannot be used ({reason}).")

    def _warn_once(self, sentence: str) -> None:
        if not self._warned:
            self._warned = True
            self._warn(sentence)


def _pack(pcm: Pcm) -> bytes:
    """Return rate, checksum and samples; a checksum because a torn write may keep its length."""
    rate, body = pcm.rate.to_bytes(4, "little"), pcm.samples.astype("<i2").tobytes()
    return rate + _checksum(rate, body) + body


def _unpack(data: bytes) -> Pcm:
    rate, check, body = data[:4], data[4:16], data[16:]
    if len(data) < 18 or _checksum(rate, body) != check:
        raise ValueError("damaged cache entry")
    hertz = int.from_bytes(rate, "little")
    if hertz not in RATES:
        raise ValueError("a cache entry of a rate that no voice has")
    return Pcm(np.frombuffer(body, "<i2").astype(np.int16), hertz)


def _checksum(rate: bytes, body: bytes) -> bytes:
    """Return a digest of all that decides the sound: with another rate it is another sound."""
    return hashlib.sha256(rate + body).digest()[:12]


def level(pcm: Pcm) -> Pcm:
    """Return speech trimmed to its audible part and brought to one loudness."""
    pcm = trim_silence(pcm)
    signal = from_int16(pcm.samples)
    if not len(signal):
        return pcm
    loud = signal[np.abs(signal) > 0.1 * np.abs(signal).max()]
    gain = min(SPEECH_RMS / float(np.sqrt(np.mean(loud**2))), SPEECH_PEAK / np.abs(signal).max())
    return fade(Pcm(to_int16(signal * gain), pcm.rate), out_seconds=0.005)
