"""Words in, PCM out: pyttsx3 renders off-line on one thread of its own, and a cache keeps it.

pyttsx3 never plays anything here. Its engines must be made and run on one thread (its issues 327
and 126), and espeak-ng keeps one state per process, so all voices share one engine room.
"""

import contextlib
import ctypes
import difflib
import hashlib
import os
import queue
import re
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from assistant.errors import AudioFileError, SynthesiserError
from assistant.files import write_whole
from assistant.pcm import Pcm, fade, from_int16, read_wav, to_int16, trim_silence

DEFAULT_WORDS_PER_MINUTE = 165
DEFAULT_ESPEAK_VOICE = "en-us"
"""PocketSphinx understood it best of six in noise (26 words of the prompts, 15 dB: 63 %)."""
SHORTEST_PART = 3
"""Letters of a voice's name that are enough to find it by."""
LONGEST_TEXT = 5000
"""Characters; about six minutes of speech, more than any prompt."""
RENDER_TIMEOUT_SECONDS = 20.0
POLL_SECONDS = 0.02
ESPEAK_TRIES = 3

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


# --- The engine room: the only thread that touches pyttsx3 ---------------------------------------


class _EngineRoom:
    """One thread that owns the pyttsx3 engine and does one job after the other."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stuck: Future[Any] | None = None
        self._engine: Any = None
        self._finished = threading.Event()

    def do(self, job: Callable[[], Any], timeout_seconds: float) -> Any:
        """Run a job on the room's thread; raises SynthesiserError if it hangs or fails."""
        with self._lock:
            if self._stuck is not None and not self._stuck.done():
                raise SynthesiserError("The voice engine hangs; start Charley again.")
            self._start()
            future: Future[Any] = Future()
            self._jobs.put((job, future))
            try:
                return future.result(timeout_seconds)
            except TimeoutError:
                self._stuck = future
                raise SynthesiserError(
                    f"The voice engine did not answer within {timeout_seconds:g} seconds."
                ) from None

    def engine(self) -> Any:
        """Return the pyttsx3 engine; only for jobs."""
        if self._engine is None:
            self._engine = _new_engine()
            self._engine.connect("finished-utterance", self._on_finished)
        return self._engine

    def begin(self) -> threading.Event:
        """Return the event that the next finished utterance sets; only for jobs."""
        self._finished.clear()
        return self._finished

    def _on_finished(self, **_details: object) -> None:
        self._finished.set()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="voice", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            job, future = self._jobs.get()
            try:
                future.set_result(job())
            except SynthesiserError as error:
                future.set_exception(error)
            # The drivers of pyttsx3 raise whatever their engines do.
            except Exception as error:  # noqa: BLE001
                future.set_exception(SynthesiserError(f"The voice engine failed: {error}."))


_ROOM = _EngineRoom()


def _new_engine() -> Any:
    if sys.platform.startswith("linux"):
        _load_bundled_espeak()
    try:
        import pyttsx3

        engine = pyttsx3.init()
    except (ImportError, RuntimeError, OSError, AttributeError) as error:
        raise SynthesiserError(
            f"No voice engine was found ({error}); install the Python package espeakng-loader."
        ) from None
    if _uses_espeak(engine):
        # Not busy: so that it carries out changes of voice and rate when they are asked for.
        engine.proxy.setBusy(False)
        _silence_prints()
    return engine


def _load_bundled_espeak() -> None:
    """Load the espeak-ng of espeakng-loader, so that pyttsx3 finds it by its soname."""
    try:
        import espeakng_loader
    except ImportError:
        return  # A system-wide libespeak-ng.so.1 may be there; pyttsx3 says so if not.
    with contextlib.suppress(OSError):
        ctypes.CDLL(espeakng_loader.get_library_path(), mode=ctypes.RTLD_GLOBAL)
        os.environ["ESPEAK_DATA_PATH"] = espeakng_loader.get_data_path()


def _silence_prints() -> None:
    """Keep pyttsx3's espeak driver from printing "Audio saved to" on standard output."""
    vars(sys.modules["pyttsx3.drivers.espeak"])["print"] = lambda *_args, **_kwargs: None


def _uses_espeak(engine: Any) -> bool:
    return bool(engine.driver_name == "espeak")


# --- Voices --------------------------------------------------------------------------------------


def voices() -> list[VoiceInfo]:
    """Return the voices that can be chosen. Raises SynthesiserError."""
    found: list[VoiceInfo] = _ROOM.do(_list_voices, RENDER_TIMEOUT_SECONDS)
    return found


def _list_voices() -> list[VoiceInfo]:
    engine = _ROOM.engine()
    listed = [
        VoiceInfo(
            str(voice.id).rsplit("/", 1)[-1] if _uses_espeak(engine) else str(voice.id),
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


def _engine_voice(wanted: str) -> str | None:
    """Return what to set as the engine's voice, or None to leave it; only for jobs."""
    there = _list_voices()
    if _uses_espeak(_ROOM.engine()):
        return _espeak_voice(wanted or DEFAULT_ESPEAK_VOICE, there)
    if not wanted:
        return None
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
    ) -> None:
        """Choose a voice by name ("" is the default). Raises SynthesiserError if it is unknown."""
        self._timeout_seconds = timeout_seconds
        self._words_per_minute = words_per_minute
        self._voice = _ROOM.do(lambda: _engine_voice(voice), timeout_seconds)
        self.name = f"{sys.platform} {self._voice} {words_per_minute}"

    def render(self, text: str, pace: float = 1.0) -> Pcm:
        """Return the spoken text as the engine made it, silence at both ends included."""
        spoken = _speakable(text)
        rate = round(self._words_per_minute * pace)
        pcm: Pcm = _ROOM.do(
            lambda: _render(spoken, self._voice, rate, self._timeout_seconds),
            self._timeout_seconds + 1.0,
        )
        return pcm


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


def _render(text: str, voice: str | None, rate: int, timeout_seconds: float) -> Pcm:
    """Render one line; only for jobs."""
    engine = _ROOM.engine()
    if voice is not None:
        engine.setProperty("voice", voice)
    engine.setProperty("rate", rate)
    if _uses_espeak(engine):
        return _render_with_espeak(engine, text, timeout_seconds)
    with _scratch_file() as path:
        engine.save_to_file(text, path)
        engine.runAndWait()
        return _read_when_written(path, timeout_seconds)


def _render_with_espeak(engine: Any, text: str, timeout_seconds: float) -> Pcm:
    """Render one line on Linux, where espeak-ng writes the file from a thread of its own.

    pyttsx3 cancels whatever that thread does when a line begins, be it the change of rate just
    asked for, and may come back before the file is written (its issue 219). So the thread must be
    idle before, and must have said that it is done after.
    """
    for _ in range(ESPEAK_TRIES):
        with _scratch_file() as path:
            finished = _ROOM.begin()
            _await_espeak()
            engine.save_to_file(text, path)
            engine.runAndWait()
            if not finished.wait(timeout_seconds):
                break
            _await_espeak()
            with contextlib.suppress(AudioFileError):
                return read_wav(path)
    raise SynthesiserError("The voice engine wrote no sound.")


def _await_espeak() -> None:
    """Wait until espeak-ng's thread has nothing left to do."""
    sys.modules["pyttsx3.drivers._espeak"].Synchronize()


def _read_when_written(path: str, timeout_seconds: float) -> Pcm:
    pause = threading.Event()
    for _ in range(max(1, round(timeout_seconds / POLL_SECONDS))):
        with contextlib.suppress(AudioFileError):
            return read_wav(path)
        pause.wait(POLL_SECONDS)
    raise SynthesiserError("The voice engine wrote no sound.")


@contextlib.contextmanager
def _scratch_file() -> Iterator[str]:
    """Yield a path for the engine to write to: in memory where that can be, else on disk."""
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
        handle = os.memfd_create("charley-voice")
        try:
            yield f"/proc/self/fd/{handle}"
        finally:
            os.close(handle)
        return
    with tempfile.TemporaryDirectory(prefix="charley-") as folder:
        # macOS writes AIFF whatever the name says.
        yield str(Path(folder) / ("voice.aiff" if sys.platform == "darwin" else "voice.wav"))


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
        self._memory: dict[str, Pcm] = {}
        self.name = voice.name

    def render(self, text: str, pace: float = 1.0) -> Pcm:
        """Return the spoken text, from its audible onset to its audible end."""
        key = self._key(text, pace)
        known = self._memory.get(key) or self._read(key)
        if known is None:
            known = level(self._voice.render(text, pace))
            self._store(key, known)
        self._memory[key] = known
        return known

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
