"""Rooms lie in levels; the core knows no device, thread or clock.

A room imports from levels below its own, and no two files import each other.
"""

import pytest

from tests.support.structure import (
    LEVELS,
    PACKAGE,
    arrows,
    file_ring,
    modules,
    other_imports,
    report,
    room,
    room_ring,
    upward_arrows,
)

PURE = {"content", "nlu", "dialogue"}
"""Rooms without a device, thread, clock or network; they run in a browser."""


IMPURE = frozenset(
    {
        "asyncio",
        "multiprocessing",
        "numpy",
        "os",
        "platformdirs",
        "pyttsx3",
        "queue",
        "random",
        "requests",
        "signal",
        "socket",
        "sounddevice",
        "soundfile",
        "soxr",
        "subprocess",
        "threading",
        "time",
        "vosk",
        "webrtcvad",
    }
)

WRAPPED = {
    "dbus_fast": {"frontends.live.mpris"},
    "hassil": {"nlu.compiler", "nlu.expressions", "nlu.sampler"},
    "ovos_workshop": {"frontends.ovos.skill"},
    "prometheus_client": {"frontends.monitoring.health", "frontends.monitoring.metrics"},
    "pulsectl": {"audio.pulse_mixer"},
    "pyttsx3": {"tts.engine_thread"},
    "rapidfuzz": {"nlu.fuzzy"},
    "requests": {"speech_models.download", "frontends.home_assistant.announce"},
    "sounddevice": {"audio.portaudio"},
    "time": {"clock", "speech_models.download"},  # a download waits before it tries again
    "vosk": {"asr.vosk_recogniser"},
    "zeroconf": {"frontends.wyoming.discovery"},
}
"""A library that is wrapped once, and the module that does it."""

CORE = [module for module in modules() if room(module) in PURE]


def test_every_room_stands_in_one_level() -> None:
    placed = [name for rooms in LEVELS for name in rooms]
    assert len(placed) == len(set(placed))
    assert {room(module) for module in modules()} == set(placed)


def test_rooms_import_only_downwards() -> None:
    print("\n".join(report()))
    assert upward_arrows() == []
    assert len(arrows()) > len(LEVELS), "a house without arrows was not read"


def test_no_files_import_each_other() -> None:
    assert file_ring() == []
    assert room_ring() == []


@pytest.mark.parametrize("module", CORE)
def test_the_core_is_pure(module: str) -> None:
    assert not other_imports(module) & IMPURE


@pytest.mark.parametrize("library", WRAPPED)
def test_a_library_is_wrapped_once(library: str) -> None:
    users = {module for module in modules() if library in other_imports(module)}
    assert users == WRAPPED[library]


def test_the_top_holds_only_rooms_and_what_all_may_use() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    assert folders - {"__pycache__"} <= {name for rooms in LEVELS for name in rooms}
