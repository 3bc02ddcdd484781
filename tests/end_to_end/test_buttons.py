"""A headset's buttons and the keys of a terminal, through a real D-Bus and a real terminal."""

from __future__ import annotations

import os
import pty
import re
import shutil
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support import pulse
from tests.support.process import Process
from tests.support.runner import says, utterance

CRAMP = "my left calf is cramping"


class Desktop:
    """A session's D-Bus, and what a headset's buttons do on it."""

    def __init__(self, folder: Path) -> None:
        command = ["dbus-daemon", "--session", "--nofork", "--print-address=1"]
        self.daemon = subprocess.Popen(
            [*command, f"--address=unix:path={folder}/bus"], stdout=subprocess.PIPE, text=True
        )
        assert self.daemon.stdout
        self.env = {"DBUS_SESSION_BUS_ADDRESS": self.daemon.stdout.readline().strip()}

    def press(self, method: str) -> None:
        """Press a button."""
        self.send(f"org.mpris.MediaPlayer2.Player.{method}")

    def knows(self, status: str) -> None:
        """Wait until the desktop knows whether Charley plays."""
        end = time.monotonic() + 30
        while self._status() != status:
            assert time.monotonic() < end, f"never {status}"
            time.sleep(0.05)

    def _status(self) -> str:
        interface = "org.mpris.MediaPlayer2.Player"
        got = self.send(
            "org.freedesktop.DBus.Properties.Get", f"string:{interface}", "string:PlaybackStatus"
        )
        found = re.search(r'"(\w+)"', got)
        return found[1] if found else got

    def send(self, *words: str) -> str:
        """Call a method of Charley as a media player; return what it answers."""
        target = ["--dest=org.mpris.MediaPlayer2.charley", "/org/mpris/MediaPlayer2"]
        done = subprocess.run(
            ["dbus-send", "--session", "--print-reply", *target, *words],
            env={**os.environ, **self.env}, capture_output=True, text=True, check=True, timeout=20,
        )  # fmt: skip
        return done.stdout


def said_until_heard(
    charley: Process, card: pulse.SoundCard, press: Callable[[], object]
) -> dict[str, Any]:
    """Press and name a cramp, and again if a busy machine lost some of the sound; return it."""
    cramp = utterance(CRAMP)
    for _ in range(5):
        press()
        card.play(cramp).wait(60)
        for _ in range(100):
            for entry in charley.entries():
                if entry.get("event") == "UtteranceHeard":
                    return entry
            time.sleep(0.1)
    raise AssertionError(f"never heard:\n{charley.shown}")


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[Desktop]:
    """Return a D-Bus of a session, as a desktop has it."""
    if not (shutil.which("dbus-daemon") and shutil.which("dbus-send")):
        pytest.skip("dbus is not installed (Debian: dbus)")
    made = Desktop(tmp_path)
    yield made
    made.daemon.terminate()
    made.daemon.wait()


@contextmanager
def at_a_terminal(
    card: pulse.SoundCard, folder: Path
) -> Iterator[tuple[Process, int, int, list[Any]]]:
    """Yield a program that waits for keys, both ends of its terminal, and how that was set."""
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    charley = Process(card, folder, "--push-to-talk", keys=theirs)
    try:
        charley.shows("Space: talk")
        yield charley, ours, theirs, before
    finally:
        charley.close()
        os.close(ours)
        os.close(theirs)


@pytest.mark.sound
@pytest.mark.slow
@pytest.mark.model
class TestRun:
    """Through the real process, a real D-Bus and a real terminal."""

    def test_a_headsets_button_opens_the_ear_for_one_utterance(
        self, card: pulse.SoundCard, desktop: Desktop, tmp_path: Path
    ) -> None:
        charley = Process(card, tmp_path, "--push-to-talk", "--media-buttons", env=desktop.env)
        try:
            charley.notes(event="SpeechFinished")
            desktop.knows("Paused")
            says(card, "my right hamstring is cramping")  # to somebody else
            heard = said_until_heard(charley, card, lambda: desktop.press("PlayPause"))
            assert heard["slots"]["muscle"] == "calf"
            desktop.knows("Playing")
            says(card, "stop")  # nor is this for Charley
            desktop.press("Next")
            charley.notes(intent="control_next")
            desktop.press("Previous")
            charley.notes(intent="control_back")
            desktop.press("Stop")
            charley.notes(intent="control_stop")
            heard_in_all = [e["intent"] for e in charley.entries() if e.get("intent")]
            assert heard_in_all == ["cramp", "control_next", "control_back", "control_stop"]
            assert charley.interrupt() == 130
        finally:
            charley.close()

    def test_without_push_to_talk_the_button_pauses_and_goes_on(
        self, card: pulse.SoundCard, desktop: Desktop, tmp_path: Path
    ) -> None:
        words = ("--microphone", "none", "--media-buttons")
        charley = Process(card, tmp_path, *words, env=desktop.env)
        try:
            charley.types("my left calf is cramping")
            charley.notes(intent="cramp")
            desktop.press("PlayPause")
            charley.notes(intent="control_pause")
            desktop.press("PlayPause")
            charley.notes(intent="control_resume")
            assert charley.interrupt() == 130
        finally:
            charley.close()

    def test_keys_of_a_terminal_do_the_same_and_leave_it_as_it_was(
        self, card: pulse.SoundCard, tmp_path: Path
    ) -> None:
        with at_a_terminal(card, tmp_path) as (charley, ours, theirs, before):
            charley.notes(event="SpeechFinished")
            said_until_heard(charley, card, lambda: os.write(ours, b" "))
            os.write(ours, b"s")
            charley.notes(intent="control_stop")
            assert charley.interrupt() == 130
            assert termios.tcgetattr(theirs) == before

    def test_after_a_stop_by_the_shell_the_keys_are_taken_again(
        self, card: pulse.SoundCard, tmp_path: Path
    ) -> None:
        with at_a_terminal(card, tmp_path) as (charley, ours, theirs, before):
            charley.signals(signal.SIGSTOP)
            termios.tcsetattr(theirs, termios.TCSANOW, before)
            charley.signals(signal.SIGCONT)
            for _ in range(200):  # until keys come without Enter again
                time.sleep(0.05 * bool(termios.tcgetattr(theirs)[3] & termios.ICANON))
            os.write(ours, b"s")
            charley.notes(intent="control_stop")
            assert charley.interrupt() == 130

    def test_without_anything_to_press_it_says_what_to_do(
        self, card: pulse.SoundCard, tmp_path: Path
    ) -> None:
        charley = Process(card, tmp_path, "--push-to-talk")
        charley.awaits("start Charley in a terminal, or with --media-buttons")
        assert charley.ends() == 1
