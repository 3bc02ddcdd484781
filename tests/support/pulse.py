"""A virtual sound card: a PulseAudio server of our own with two null sinks.

What a process plays goes to the sink "speaker" and can be recorded from its monitor; what is played
into the sink "room" comes out of the source "microphone", the process's default. Processes must be
started with `env`: PortAudio then finds PulseAudio behind ALSA's "default".
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from assistant.audio.pcm import Pcm

RATE = 44100
"""Hertz; the default rate of both sinks, and the rate of recordings."""

ASOUNDRC = """
pcm.!default { type pulse }
ctl.!default { type pulse }
"""

PORTAUDIO = "ALSA plug-in"
"""By this a program that uses PortAudio is known to the server."""


def _modules(rate: int, channels: int) -> dict[str, str]:
    kind = f"rate={rate} channels={channels}"
    source = f"source_name=microphone channels={channels}"
    return {
        "speaker": f"module-null-sink sink_name=speaker norewinds=1 {kind}",
        "room": f"module-null-sink sink_name=room norewinds=1 {kind}",
        "microphone": f"module-remap-source master=room.monitor {source}",
    }


def missing() -> str | None:
    """Return why PulseAudio cannot be used here, or None."""
    for program in ("pulseaudio", "pactl", "parec", "pacat"):
        if shutil.which(program) is None:
            return f"{program} is not installed (Debian: pulseaudio pulseaudio-utils)"
    return None


@dataclass(frozen=True, slots=True)
class SoundCard:
    """A running PulseAudio server."""

    env: Mapping[str, str]
    """The environment for processes that should use it."""
    modules: Mapping[str, str]
    """Name of a device that can be unplugged to its PulseAudio module."""
    server: "list[subprocess.Popen[bytes]]"
    """The server that runs, or has run."""
    heard: list[Path] = field(default_factory=list)
    """What its speaker has played, as raw samples."""
    programs: "list[subprocess.Popen[str]]" = field(default_factory=list)
    """Processes that use it; those still running at the end are killed."""

    def play(self, pcm: Pcm) -> "subprocess.Popen[bytes]":
        """Play into the microphone; the process ends when all was played."""
        command = ["pacat", "--playback", "-d", "room", *_raw(pcm.rate)]
        timeline = subprocess.Popen(command, stdin=subprocess.PIPE, env=self.env)
        if timeline.stdin is not None:
            timeline.stdin.write(pcm.samples.tobytes())
            timeline.stdin.close()
        return timeline

    @contextlib.contextmanager
    def recording(self) -> Iterator[list[Pcm]]:
        """Record what the speaker plays; the list holds it after the block."""
        found: list[Pcm] = []
        with _listening(self.env, "speaker") as path:
            yield found
        found.append(_sound(path.read_bytes()))
        path.unlink()

    def last(self, seconds: float) -> Pcm:
        """Return what the speaker has just played, as long as that or shorter."""
        data = self.heard[-1].read_bytes()
        return Pcm(_sound(data).samples[-round(seconds * RATE) :], RATE)

    def unplug(self, name: str) -> None:
        """Take "speaker" or "microphone" away, and whatever a program played or heard by it.

        PulseAudio alone would move the program to another device, as on a desktop.
        """
        for line in self.control("list", "short", "modules").splitlines():
            number, module, words = line.split("\t")[:3]
            if f"{module} {words}" == self.modules[name]:
                self.control("unload-module", number)
        kind = "sink-input" if name == "speaker" else "source-output"
        for stream in self.control("list", f"{kind}s").split("\n\n"):
            if PORTAUDIO in stream:
                number = stream.partition("#")[2].split()[0]
                self._command(f"kill-{kind} {number}")

    def _command(self, line: str) -> None:
        with socket.socket(socket.AF_UNIX) as server:
            server.settimeout(20)
            server.connect(f"{self.env['HOME']}/cli")
            server.sendall(f"{line}\n".encode())
            server.shutdown(socket.SHUT_WR)
            while server.recv(4096):
                pass

    def plug(self, name: str) -> None:
        """Bring it back."""
        self.control("load-module", *self.modules[name].split())

    def kill(self) -> None:
        """Kill the server, as if it had crashed."""
        self.server[-1].kill()
        self.server[-1].wait()

    def start(self) -> None:
        """Start the server, again if it was killed."""
        home = Path(self.env["HOME"])
        for left_over in (home / "native", home / "cli"):
            left_over.unlink(missing_ok=True)
        command = _server(home, self.modules.values())
        begun = subprocess.Popen(command, env=self.env, stderr=subprocess.DEVNULL)
        self.server.append(begun)
        _await_server(self, begun)

    def control(self, *words: str) -> str:
        """Run pactl and return what it prints."""
        done = subprocess.run(
            ["pactl", *words], env=self.env, capture_output=True, text=True, check=True, timeout=20
        )
        return done.stdout


@contextlib.contextmanager
def sound_card(rate: int = RATE, channels: int = 1) -> Iterator[SoundCard]:
    """Run a PulseAudio server for as long as the block lasts."""
    # A short path: a socket's name has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix="pulse-") as folder:
        home = Path(folder)
        (home / ".asoundrc").write_text(ASOUNDRC, encoding="utf-8")
        env = _environment(home)
        card = SoundCard(env, _modules(rate, channels), [])
        try:
            card.start()
            # A null sink that nobody listens to lets its players begin two seconds late.
            with _listening(env, "speaker") as heard, _listening(env, "room"):
                card.heard.append(heard)
                yield card
        finally:
            for program in card.programs:
                if program.poll() is None:
                    program.kill()
                    program.wait()
            for server in card.server:
                server.terminate()
                server.wait()


@contextlib.contextmanager
def _listening(env: Mapping[str, str], sink: str) -> Iterator[Path]:
    """Record a sink into a file, from the moment on when sound arrives in it."""
    handle, name = tempfile.mkstemp(dir=env["HOME"], suffix=".raw")
    command = ["parec", "-d", f"{sink}.monitor", *_raw(RATE)]
    recorder = subprocess.Popen(command, stdout=handle, env=env)
    os.close(handle)
    path = Path(name)
    try:
        _await_sound(path, recorder)
        yield path
    finally:
        recorder.terminate()
        recorder.wait()


def _await_sound(path: Path, recorder: "subprocess.Popen[bytes]") -> None:
    for _ in range(500):
        if path.stat().st_size:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            recorder.wait(0.02)
            break
    raise RuntimeError("parec recorded nothing")


def _environment(home: Path) -> dict[str, str]:
    own = {
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "PULSE_SERVER": f"unix:{home}/native",
        "PULSE_SINK": "speaker",
        "PULSE_SOURCE": "microphone",
    }
    return {**os.environ, **own}


def _server(home: Path, modules: Iterable[str]) -> list[str]:
    loads = [
        f"module-native-protocol-unix socket={home}/native auth-anonymous=1",
        f"module-cli-protocol-unix socket={home}/cli",
        *modules,
    ]
    return [
        "pulseaudio",
        "-n",
        "--daemonize=no",
        "--use-pid-file=no",
        "--exit-idle-time=-1",
        "--realtime=no",
        "--high-priority=no",
        *(word for load in loads for word in ("-L", load)),
    ]


def _await_server(card: SoundCard, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(400):
        with contextlib.suppress(subprocess.CalledProcessError):
            if "microphone" in card.control("list", "short", "sources"):
                return
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(0.02)
            break
    raise RuntimeError("PulseAudio did not start")


def _sound(data: bytes) -> Pcm:
    return Pcm(np.frombuffer(data[: len(data) // 2 * 2], np.int16), RATE)


def _raw(rate: int) -> list[str]:
    return ["--raw", "--format=s16le", f"--rate={rate}", "--channels=1", "--latency-msec=40"]
