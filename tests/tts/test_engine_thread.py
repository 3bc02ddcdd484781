"""A voice engine that hangs, fails or is missing is a sentence, not a hang or a traceback."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from assistant.audio import audio_file
from assistant.audio.pcm import Pcm
from assistant.errors import AudioFileError, SynthesiserError
from assistant.tts import engine_thread, pyttsx3_voice
from assistant.tts.engine_thread import EngineThread
from assistant.tts.pyttsx3_voice import Pyttsx3Voice


def test_a_hanging_engine_is_reported_in_time() -> None:
    thread, release = EngineThread(), threading.Event()
    with pytest.raises(SynthesiserError, match="did not answer"):
        thread.do(release.wait, 0.01)
    with pytest.raises(SynthesiserError, match="hangs"):
        thread.do(lambda: 1, 10)
    release.set()


def test_an_engine_that_comes_back_is_used_again() -> None:
    thread, release = EngineThread(), threading.Event()
    with pytest.raises(SynthesiserError):
        thread.do(release.wait, 0.01)
    stuck = thread._stuck
    release.set()
    assert stuck is not None
    assert stuck.result(10)
    assert thread.do(lambda: "spoken", 10) == "spoken"


def test_a_failing_engine_is_reported_and_goes_on() -> None:
    def fail() -> None:
        raise ValueError("SetVoiceByName failed")

    thread = EngineThread()
    with pytest.raises(SynthesiserError, match="SetVoiceByName"):
        thread.do(fail, 10)
    assert thread.do(lambda: 1, 10) == 1


def test_all_work_is_done_on_one_thread() -> None:
    thread = EngineThread()
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(thread.do, threading.get_ident, 10) for _ in range(20)]
    assert len({job.result() for job in jobs}) == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs espeak-ng")
def test_a_line_that_came_out_empty_is_rendered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []
    read_file = audio_file.read

    def read(path: Path) -> Pcm:
        reads.append(path)
        if len(reads) == 1:
            raise AudioFileError("the file holds no sound.")
        return read_file(path)

    monkeypatch.setattr(audio_file, "read", read)
    assert Pyttsx3Voice().render("one").seconds > 0.2
    assert len(reads) == 2


def test_a_missing_engine_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyttsx3", None)
    with pytest.raises(SynthesiserError, match="espeakng-loader"):
        engine_thread._new_engine()


class TestEspeak:
    """espeak-ng as it is on some machines: it never says that it has finished, or it is slow."""

    pytestmark = pytest.mark.skipif(
        not sys.platform.startswith("linux"), reason="espeak-ng is the voice of Linux"
    )

    def test_one_that_never_says_that_it_finished_speaks(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spoken = [Pyttsx3Voice().render(word) for word in ("one", "two and a half")]
        # The event of the end is one that this espeak-ng never sends.
        espeak = sys.modules["pyttsx3.drivers._espeak"]
        monkeypatch.setattr(espeak, "EVENT_MSG_TERMINATED", 99)
        again = [Pyttsx3Voice().render(word) for word in ("one", "two and a half")]
        for usual, late in zip(spoken, again, strict=True):
            assert late.seconds == pytest.approx(usual.seconds, abs=0.02)

    @pytest.mark.parametrize(("is_cancelled", "ends"), [(False, 1), (True, 0)])
    def test_a_line_that_was_cancelled_halfway_is_not_taken_for_whole(
        self, is_cancelled: bool, ends: int
    ) -> None:
        Pyttsx3Voice()  # loads the driver's module
        ended: list[int] = []
        driver = SimpleNamespace(_looping=True, _speaking=True)
        driver.iterate = lambda: setattr(driver, "_looping", not is_cancelled)
        driver._onSynth = lambda _sound, _samples, events: ended.append(events[0].type)
        engine_thread._end_lines_without_a_word(driver)
        driver.iterate()
        assert len(ended) == ends

    def test_a_slow_one_is_waited_for_where_nobody_waits_for_the_sound(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pyttsx3_voice, "LINE_TIMEOUT_SECONDS", 0.05)
        monkeypatch.setattr(pyttsx3_voice, "LETTER_TIMEOUT_SECONDS", 0.0)
        espeak = sys.modules["pyttsx3.drivers._espeak"]
        synchronize, pause = espeak.Synchronize, threading.Event()

        def slow() -> int:
            pause.wait(0.6)
            return int(synchronize())

        monkeypatch.setattr(espeak, "Synchronize", slow)
        assert Pyttsx3Voice(in_real_time=False).render("one").seconds > 0.2
