"""The one thread that owns pyttsx3's engine. The only module that imports pyttsx3.

pyttsx3 never plays anything here: it renders off-line. Its engines must be made and run on one
thread (its issues 327 and 126), and espeak-ng keeps one state per process, so all voices share
`ENGINE_THREAD`. What only its jobs may call says so.
"""

import contextlib
import ctypes
import os
import queue
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from assistant.audio import audio_file
from assistant.audio.pcm import Pcm
from assistant.errors import AudioFileError, SynthesiserError

POLL_SECONDS = 0.02
_END_POLLS = 10
"""Looks for espeak-ng's own word that a line has ended, after its last sample came."""
ESPEAK_TRIES = 3
"""How often a line is rendered that comes out empty."""

Made = TypeVar("Made")


class EngineThread:
    """One thread that owns the pyttsx3 engine and does one job after the other."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stuck: Future[Any] | None = None
        self._engine: Any = None
        self._finished = threading.Event()

    def do(self, job: Callable[[], Made], timeout_seconds: float) -> Made:
        """Run a job on the thread; raises SynthesiserError if it hangs or fails."""
        with self._lock:
            if self._stuck is not None and not self._stuck.done():
                raise SynthesiserError("The voice engine hangs; restart Charley.")
            self._start()
            future: Future[Made] = Future()
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


ENGINE_THREAD = EngineThread()
"""The only one of this process."""


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
    if uses_espeak(engine):
        # Not busy: so that it carries out changes of voice and rate when they are asked for.
        engine.proxy.setBusy(False)
        _silence_prints()
        _end_lines_without_a_word(engine.proxy._driver)
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


def _end_lines_without_a_word(driver: Any) -> None:
    """End a line when espeak-ng has spoken it, even if espeak-ng never says so.

    pyttsx3's driver waits for the event MSG_TERMINATED, and the library of espeakng-loader 0.2.4
    for 64-bit ARM never sends it, so that every Raspberry Pi would be mute.
    """
    espeak = sys.modules["pyttsx3.drivers._espeak"]
    iterate, pause = driver.iterate, threading.Event()

    def is_speaking() -> bool:
        # A line that was cancelled is not looped for any more, and must not be taken for whole.
        return bool(driver._looping and driver._speaking)

    def watched() -> None:
        iterate()
        if not is_speaking():
            return
        espeak.Synchronize()  # however long it takes; the samples come on espeak-ng's thread
        for _ in range(_END_POLLS):
            if not is_speaking():
                return
            pause.wait(POLL_SECONDS)
        ended = (espeak.EVENT * 1)()
        ended[0].type = espeak.EVENT_MSG_TERMINATED
        driver._onSynth(None, 0, ended)

    driver.iterate = watched


def uses_espeak(engine: Any) -> bool:
    """Return whether the engine is espeak-ng, as on Linux; else it is the system's own."""
    return bool(engine.driver_name == "espeak")


# --- Rendering -----------------------------------------------------------------------------------


def render(text: str, voice: str | None, rate: int, timeout_seconds: float) -> Pcm:
    """Return one line as sound; `voice` None is the engine's own, `rate` words a minute.

    Only for jobs. Raises SynthesiserError.
    """
    engine = ENGINE_THREAD.engine()
    if voice is not None:
        engine.setProperty("voice", voice)
    engine.setProperty("rate", rate)
    if uses_espeak(engine):
        return _render_with_espeak(engine, text, timeout_seconds)
    with _scratch_file() as path:
        engine.save_to_file(text, path)
        engine.runAndWait()
        return _read_when_written(path, timeout_seconds)


def _render_with_espeak(engine: Any, text: str, timeout_seconds: float) -> Pcm:
    """Render one line on Linux, where espeak-ng writes the file from a thread of its own.

    pyttsx3 cancels whatever that thread does when a line begins, be it the change of rate just
    asked for, and may return before the file is written (its issue 219). So the thread must be
    idle before, and must have reported that it is done after.
    """
    for _ in range(ESPEAK_TRIES):
        with _scratch_file() as path:
            finished = ENGINE_THREAD.begin()
            _await_espeak()
            engine.save_to_file(text, path)
            engine.runAndWait()
            if not finished.wait(timeout_seconds):
                break
            _await_espeak()
            with contextlib.suppress(AudioFileError):
                return audio_file.read(path)
    raise SynthesiserError("The voice engine wrote no sound.")


def _await_espeak() -> None:
    """Wait until espeak-ng's thread has nothing left to do."""
    sys.modules["pyttsx3.drivers._espeak"].Synchronize()


def _read_when_written(path: str, timeout_seconds: float) -> Pcm:
    pause = threading.Event()
    for _ in range(max(1, round(timeout_seconds / POLL_SECONDS))):
        with contextlib.suppress(AudioFileError):
            return audio_file.read(path)
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
