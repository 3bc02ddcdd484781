"""`charley run` as a user starts it, on a sound card made of software."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from tests.support import ROOT, pulse

PATIENCE_SECONDS = 90.0
"""Long enough for a loaded machine with two cores."""

BEGIN = """
import sys
from assistant.cli.app import main
sys.exit(main(sys.argv[1:]))
"""


def heed_ctrl_c() -> None:
    """Let the processes that this one starts be interrupted by Ctrl-C.

    A shell starts background processes with SIGINT ignored, and children would inherit that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class ProcessOutput:
    """The output of a running process, line by line."""

    def __init__(self, process: subprocess.Popen[str], stream: IO[str] | None) -> None:
        """Read one of its streams."""
        self.process = process
        self.lines: list[str] = []
        self._queue: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream: IO[str] | None) -> None:
        for line in stream or ():
            self._queue.put(line)

    def awaits(self, words: str, seconds: float = PATIENCE_SECONDS) -> str:
        """Wait for a line with these words, and return it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self.lines.append(self._queue.get(timeout=0.2))
            except queue.Empty:
                assert self.process.poll() is None, "".join(self.lines)
                continue
            if words in self.lines[-1]:
                return self.lines[-1]
        raise AssertionError(f"never “{words}”:\n" + "".join(self.lines))


class Process(ProcessOutput):
    """The running program: its output, its journal, and its input."""

    def __init__(
        self,
        card: pulse.SoundCard,
        folder: Path,
        *words: str,
        code: str = "",
        env: Mapping[str, str] = {},
        keys: int = subprocess.PIPE,
    ) -> None:
        """Start it with more words on its command line; `code` is run before it begins.

        `keys` is its standard input, such as a terminal of its own.
        """
        heed_ctrl_c()
        self.journal = folder / "journal.jsonl"
        command = [
            sys.executable,
            "-c",
            f"{code}{BEGIN}",
            "run",
            "--journal",
            str(self.journal),
            *words,
        ]
        process = subprocess.Popen(
            command, env={**card.env, **env}, stdin=keys, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, cwd=ROOT,
        )  # fmt: skip
        card.programs.append(process)
        super().__init__(process, process.stdout)

    @property
    def shown(self) -> str:
        """Everything that was shown so far."""
        while not self._queue.empty():
            self.lines.append(self._queue.get())
        return "".join(self.lines)

    def types(self, text: str) -> None:
        """Type a line; it is heard if there is no microphone."""
        if self.process.stdin:
            self.process.stdin.write(f"{text}\n")
            self.process.stdin.flush()

    def shows(self, words: str) -> None:
        """Wait until these words have been shown."""
        end = time.monotonic() + PATIENCE_SECONDS
        while words not in self.shown:
            assert time.monotonic() < end, f"never “{words}”:\n{self.shown}"
            assert self.process.poll() is None, self.shown
            time.sleep(0.05)

    def entries(self) -> list[dict[str, Any]]:
        """Return the whole lines of the journal so far."""
        text = self.journal.read_text("utf-8") if self.journal.exists() else ""
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def notes(self, nth: int = 0, /, **wanted: object) -> dict[str, Any]:
        """Wait for the nth entry of the journal with these values, from 0, and return it."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            found = [entry for entry in self.entries() if wanted.items() <= entry.items()]
            if len(found) > nth:
                return found[nth]
            assert self.process.poll() is None, self.shown
            time.sleep(0.05)
        raise AssertionError(f"the journal never had {wanted}:\n{self.shown}")

    def falls_silent(self) -> None:
        """Wait until everything has been said."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not self._is_silent():
            assert time.monotonic() < end, f"never silent:\n{self.shown}"
            assert self.process.poll() is None, self.shown
            time.sleep(0.05)

    def _is_silent(self) -> bool:
        steps = [entry.get("event") or entry.get("action") for entry in self.entries()]
        spoken = [step for step in steps if step in {"Say", "Count", "SpeechFinished"}]
        return spoken[-1:] == ["SpeechFinished"]

    def signals(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def ends(self, seconds: float = 40.0) -> int:
        """Return its exit code; a negative one means that a signal killed it."""
        return self.process.wait(seconds)

    def interrupt(self) -> int:
        """Press Ctrl-C; return the exit code."""
        self.signals(signal.SIGINT)
        return self.ends()

    def close(self) -> None:
        """End it by force if it still runs."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGCONT)
            self.process.kill()
        self.process.wait(20)
