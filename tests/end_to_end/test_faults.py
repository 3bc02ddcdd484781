"""What can go wrong with the machine, each provoked: the real program, on a virtual sound card.

Each test that carries @fault is a row of the table in docs/faults.md: what happens, what the person
hears or reads, and what is lost. Where nobody needs to be heard, the program is typed to.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from assistant.asr import vosk_files
from assistant.paths import bundled_model_folder
from assistant.session import voices
from assistant.settings import Settings
from tests.support import pulse
from tests.support.listening import await_line, place
from tests.support.process import Process
from tests.support.runner import says
from tests.support.stage import PACK

pytestmark = [pytest.mark.sound, pytest.mark.slow]
HOLD = 10
CUE_SECONDS = 6.0
"""What is said before the count, in real time."""
TYPED = ("--microphone", "none", "--hold", str(HOLD))


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table in docs/faults.md."""

    what: str
    hears: str
    """With prompts by their keys in brackets."""
    lost: str
    test: str

    @property
    def row(self) -> str:
        """The row in Markdown."""
        hears = re.sub(r"\[([\w.]+)\]", lambda found: f"“{_words(found[1])}”", self.hears)
        return f"| {self.what} | {hears} | {self.lost} | `{self.test}` |\n"


def _words(key: str) -> str:
    return PACK.prompts.line(key).text.replace("{count}", "six")


FAULTS: list[Fault] = []
"""In the order of their tests."""


def fault(what: str, hears: str, lost: str = "nothing") -> Callable[[Any], Any]:
    """Make a test a row of the table in docs/faults.md."""

    def noted(test: Any) -> Any:
        FAULTS.append(Fault(what, hears, lost, test.__name__))
        return test

    return noted


@contextmanager
def charley(card: pulse.SoundCard, folder: Path, *words: str, **more: Any) -> Iterator[Process]:
    """Run the program; it is there when it has said hello."""
    process = Process(card, folder, *words, **more)
    try:
        process.notes(event="Started")
        yield process
    finally:
        process.close()


def begin(process: Process) -> None:
    """Name a cramp; when that was answered, all that is said of faults is prepared."""
    process.types("my left calf is cramping")
    process.notes(intent="cramp")


def until_counting(process: Process, seconds: float = 1.0) -> float:
    """Come to a hold that has run for so long; return for how long it has."""
    begin(process)
    process.types("skip to the hold")
    process.notes(action="Count")
    time.sleep(CUE_SECONDS)
    for asked in range(20):
        process.types("how long left")
        held = process.notes(asked, intent="ask_time_left")["hold_position_seconds"]
        if held is not None and held >= seconds:
            return float(held)
        time.sleep(1.5)  # longer than its answer, which comes before the count
    raise AssertionError(f"the hold never ran:\n{process.shown}")


def counts_on(process: Process, event: str, **wanted: object) -> tuple[float, int]:
    """Return when something happened, and the count behind which the hold went on."""
    happened = process.notes(event=event, **wanted)
    entries = process.entries()
    following = entries[entries.index(happened) :]
    count = next(e for e in following if e.get("action") == "Count")
    return happened["at"], count["hold"]["start_count"]


# --- Devices -------------------------------------------------------------------------------------


@fault(
    "the speaker is unplugged in a hold, and plugged in again",
    "[device.sound] [device.count]; on the screen meanwhile [fault.speaker]",
)
def test_a_hold_goes_on_from_its_count_when_the_speaker_is_back(
    card: pulse.SoundCard, tmp_path: Path
) -> None:
    with charley(card, tmp_path, *TYPED) as process:
        until_counting(process, 2.0)
        card.unplug("speaker")
        process.notes(event="DeviceLost", device="speaker")
        card.plug("speaker")
        _, counted = counts_on(process, "DeviceFound", device="speaker")
        assert counted >= 2
        process.notes(event="HoldFinished")
        assert PACK.prompts.line("fault.speaker").text in process.shown


@fault("the speaker stays away", "the captions and the count go on, on the screen")
def test_without_a_speaker_the_count_goes_on_in_captions(
    card: pulse.SoundCard, tmp_path: Path
) -> None:
    with charley(card, tmp_path, *TYPED) as process:
        until_counting(process)
        card.unplug("speaker")
        process.notes(event="DeviceLost", device="speaker")
        process.notes(event="HoldFinished")
        process.shows("Is it gone")


@pytest.mark.model
@fault(
    "the microphone is unplugged, and plugged in again",
    "[device.lost] [device.found]; in a hold [device.deaf] [device.hears]",
    "what was said meanwhile",
)
def test_a_microphone_that_comes_back_is_heard_again(card: pulse.SoundCard, tmp_path: Path) -> None:
    with charley(card, tmp_path) as process:
        card.unplug("microphone")
        process.notes(event="DeviceLost", device="microphone")
        card.plug("microphone")
        process.notes(event="DeviceFound", device="microphone")
        says(card, "my left calf is cramping")
        process.notes(event="UtteranceHeard", intent="cramp")


@pytest.mark.model
@fault(
    "the sound server crashes and is started again",
    "[device.sound] [device.found]",
    "what was said meanwhile",
)
def test_a_sound_server_that_crashes_may_be_started_again(
    card: pulse.SoundCard, tmp_path: Path
) -> None:
    with charley(card, tmp_path) as process:
        card.kill()
        for device in ("microphone", "speaker"):
            process.notes(event="DeviceLost", device=device)
        card.start()
        for device in ("microphone", "speaker"):
            process.notes(event="DeviceFound", device=device)
        says(card, "my left calf is cramping")
        process.notes(event="UtteranceHeard", intent="cramp")


@fault(
    "the machine is fully loaded",
    "the count, in its time; if there are gaps all the same [fault.busy]",
)
def test_a_hold_is_counted_while_everything_else_is_busy(
    card: pulse.SoundCard, tmp_path: Path
) -> None:
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4)]
    try:
        with charley(card, tmp_path, *TYPED) as process:
            until_counting(process)
            process.notes(event="HoldFinished")
            assert PACK.prompts.line("fault.stuck").text not in process.shown
    finally:
        for each in busy:
            each.kill()
            each.wait()


# --- The voice -----------------------------------------------------------------------------------

HANG = """
import pathlib, threading
import {module} as module
does = module.{name}
def hang(*words, **named):
    while pathlib.Path({flag!r}).exists():
        threading.Event().wait(0.05)
    return does(*words, **named)
module.{name} = hang
"""
"""Lets a function hang for as long as a file is there."""


@fault(
    "the voice engine hangs or fails, and works again",
    "[fault.voice] (kept from the start); each line as a tick and a caption; [fault.voice_back]",
)
def test_a_voice_that_hangs_is_reported_shown_and_used_again(
    card: pulse.SoundCard, tmp_path: Path
) -> None:
    flag = tmp_path / "hang"
    code = HANG.format(module="assistant.tts.engine_thread", name="render", flag=str(flag))
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    with charley(card, tmp_path, *TYPED, code=code, env=env) as process:
        begin(process)
        flag.touch()
        process.types("okay")
        process.notes(event="DeviceLost", device="voice")
        process.shows(PACK.prompts.line("fault.voice").text)
        process.shows("Bend your back knee")
        flag.unlink()
        process.notes(event="DeviceFound", device="voice")
        process.shows(PACK.prompts.line("fault.voice_back").text)


# --- Disks and files -----------------------------------------------------------------------------


@fault(
    "the cache cannot be written, the journal's disk is full",
    "no change; one sentence on the screen for each",
    "the journal from there on",
)
def test_disks_that_take_nothing_do_not_end_the_conversation(
    card: pulse.SoundCard, tmp_path: Path
) -> None:
    # Not even root may write there.
    env = {"XDG_CACHE_HOME": "/proc/charley", "XDG_STATE_HOME": "/proc/charley"}
    process = Process(card, tmp_path, *TYPED, "--journal", "/dev/full", env=env)
    try:
        process.shows("/proc/charley")
        process.shows("No space left on device")
        process.types("my left calf is cramping")
        process.shows("Stop running")
        assert process.interrupt() == 130
    finally:
        process.close()


@pytest.mark.model
@pytest.mark.parametrize("name", sorted({*vosk_files.NEEDED} - {*vosk_files.MAY_BE_EMPTY}))
@fault(
    "a file of the speech model is cut short",
    "on the screen, what is broken and how to fix it; Charley is typed to",
)
def test_a_model_that_is_cut_short_is_reported_and_typed_around(
    card: pulse.SoundCard, tmp_path: Path, name: str
) -> None:
    model = shutil.copytree(bundled_model_folder(), tmp_path / "model")
    whole = (model / name).read_bytes()
    (model / name).write_bytes(whole[: len(whole) // 2])
    with charley(card, tmp_path, "--model", str(model)) as process:
        process.shows("charley models get")
        process.types("my left calf is cramping")
        process.notes(event="UtteranceHeard", intent="cramp")


# --- The process ---------------------------------------------------------------------------------


@fault(
    "the program or the machine is stopped for a while in a hold",
    "[device.asleep] [device.count]",
)
def test_a_hold_that_was_stopped_goes_on_from_its_count(
    card: pulse.SoundCard, tmp_path: Path
) -> None:
    with charley(card, tmp_path, *TYPED) as process:
        held = until_counting(process, 2.0)
        process.signals(signal.SIGSTOP)
        time.sleep(4.0)
        process.signals(signal.SIGCONT)
        at, counted = counts_on(process, "Suspended")
        finished = process.notes(event="HoldFinished")
        assert counted >= int(held)
        # No burst: each count that was left took its second.
        assert finished["at"] - at > HOLD - counted


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@fault("Ctrl-C or SIGTERM in a hold", "the word to its end, then [leave.hold]")
def test_a_signal_in_a_hold_lets_the_word_be_finished(
    card: pulse.SoundCard, tmp_path: Path, number: int
) -> None:
    with charley(card, tmp_path, *TYPED) as process:
        until_counting(process)
        process.signals(number)
        assert process.ends() == 128 + number
        assert PACK.prompts.line("leave.hold").text in process.shown
        events = [entry["event"] for entry in process.entries() if "event" in entry]
        assert events[-1] == "Leaving"


@fault(
    "something in the program hangs",
    "[fault.stuck], aloud and on the screen; later [fault.free]",
)
def test_a_conversation_that_is_stuck_says_so_aloud(card: pulse.SoundCard, tmp_path: Path) -> None:
    flag, line = tmp_path / "hang", PACK.prompts.line("fault.stuck").text
    spoken = voices.voice(PACK, Settings(), print).render(line)
    code = HANG.format(
        module="assistant.session.spoken", name="SpokenConversation.tick", flag=str(flag)
    )
    with card.recording() as recorded, charley(card, tmp_path, *TYPED, code=code) as process:
        begin(process)
        flag.touch()
        process.shows(line)
        await_line(card, spoken)
        flag.unlink()
        process.shows(PACK.prompts.line("fault.free").text)
    assert place(recorded[0], spoken, 0.0, recorded[0].seconds - spoken.seconds - 0.1) > 0


@fault("a second signal, even if everything hangs", "nothing more")
def test_a_second_signal_ends_even_what_hangs(card: pulse.SoundCard, tmp_path: Path) -> None:
    flag = tmp_path / "hang"
    code = HANG.format(
        module="assistant.session.spoken", name="SpokenConversation.tick", flag=str(flag)
    )
    with charley(card, tmp_path, *TYPED, code=code) as process:
        begin(process)
        flag.touch()
        process.shows(PACK.prompts.line("fault.stuck").text)
        process.signals(signal.SIGTERM)
        time.sleep(1.0)  # two at once are one
        process.signals(signal.SIGTERM)
        assert process.ends() == 128 + signal.SIGTERM
