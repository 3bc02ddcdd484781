"""Files that somebody hostile, or a failing disk, might leave, and how Charley reads them.

A kind is a name, what makes a file of it from a `Random`, and what reads it as the program does.
Whatever a file holds, reading it works or raises an AssistantError.
"""

from __future__ import annotations

import io
import json
import random
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from assistant import settings
from assistant.audio import audio_file
from assistant.audio.pcm import Pcm
from assistant.content import language_pack
from assistant.dialogue.triggers import KNOWN_INTENTS
from assistant.errors import AssistantError
from assistant.exports import report, report_svg, report_text
from assistant.nlu import intents
from assistant.paths import intents_folder
from assistant.session import journal, replay
from assistant.session.journal import Conditions
from assistant.tts.cache import CachedVoice

VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1, 60, 2**31, 2**70, 10**400, 1e9, 1e11, 1e308, -0.0, float("nan"), "", "en",
    "../..", "/", "\x1b[2J", "\ud800", "x" * 3_000, "left", "thigh", "standing", "sixty", "calf",
    "redflag_heart", [], [[]], ["x"], {}, {"x": "y"},
)  # fmt: skip
PIECES = (
    b"", b"\0", b"\n", b"\r", b"\t", b'"', b"'", b"[", b"]", b"{", b"}", b":", b": ", b"- ", b"?",
    b"|", b"#", b"&a ", b"*a", b"!!python/name:os.system ", b"<<: ", b"---\n", b"<", b">", b"(",
    b"1e999", b"9" * 5_000, b"0x" + b"f" * 900, b"[" * 3_000, b"(" * 300, b"a." * 900, b"\xff\xfe",
    b"\xed\xa0\x80", b"\x1b[2J", b"..", b"nan", b"-",
)  # fmt: skip


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return a file's content with up to four harms: cut, doubled, moved, replaced or flipped."""
    for _ in range(chance.randrange(1, 5)):
        first = chance.randrange(len(data) + 1)
        last = min(len(data), first + chance.choice((0, 1, 1, 2, 4, 8, 40, 400)))
        harm = chance.randrange(5)
        if harm == 0:
            data = data[:first] + chance.choice(PIECES) + data[last:]
        elif harm == 1:
            data = data[:first] + data[last:]
        elif harm == 2:
            data = data[:last] + data[first:]
        elif harm == 3 and first < len(data):
            flipped = data[first] ^ (1 << chance.randrange(8))
            data = data[:first] + bytes([flipped]) + data[first + 1 :]
        elif harm == 4:
            data = data[:first] + chance.randbytes(last - first) + data[last:]
    return data


# --- Journals ------------------------------------------------------------------------------------

_INTENTS = sorted(KNOWN_INTENTS)
_SLOTS = {
    "muscle": ("calf", "thigh", "foot", "stitch", "nose"),
    "side": ("left", "right", "both", "up"),
    "position": ("standing", "bed", "moon"),
    "setting": ("hold_seconds", "rounds", "checkin_seconds", "voice"),
    "number": ("two", "sixty", "-1", "9" * 400),
    "topic": ("words", "why"),
}


def journal_file(chance: random.Random) -> bytes:
    """Return a journal: any events in any order, some with values of another kind."""
    lines: list[dict[str, Any]] = [_started(chance)]
    at = 0.0
    for _ in range(chance.randrange(1, 25)):
        at += chance.choice((0.0, 0.4, 3.0, 20.0, 300.0))
        lines.append({"at": at, **_event(chance)})
    for _ in range(chance.choice((0, 0, 0, 0, 1, 3))):
        line = chance.choice(lines)
        line[chance.choice([*line, "mood"])] = chance.choice(VALUES)
    data = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    return mutated(data, chance) if chance.random() < 0.1 else data


def _started(chance: random.Random) -> dict[str, Any]:
    coaching = {"hold_seconds": chance.choice((5, 10, 60)), "rounds": chance.choice((1, 3))}
    found: dict[str, Any] = {"coaching": coaching, "start": {"pace": 0.8}, "language": "en"}
    if chance.random() < 0.1:
        place = chance.choice((found, coaching, found["start"]))
        place[chance.choice((*place, "step", "state", "version"))] = chance.choice(VALUES)
    return {"at": 0.0, "event": "Started", "conditions": found}


def _event(chance: random.Random) -> dict[str, Any]:
    position = chance.choice((None, 0.5, 3.5, 9.9, 61.0, 1e6))
    if chance.random() < 0.5:
        names = chance.sample(sorted(_SLOTS), chance.randrange(3))
        return {
            "event": "UtteranceHeard",
            "intent": chance.choice((*_INTENTS, "cramp", "okay", "redflag_heart")),
            "slots": {name: chance.choice(_SLOTS[name]) for name in names},
            "hold_position_seconds": position,
        }
    timers = ("step", "rest", "answer", "checkin", "long", "nonsense")
    return chance.choice((
        {"event": "SpeechFinished"}, {"event": "HoldFinished"}, {"event": "Leaving"},
        {"event": "TimerFired", "name": chance.choice(timers)},
        {"event": "UtteranceMissed"}, {"event": "DeviceLost", "device": "speaker"},
        {"event": "DeviceFound", "device": "speaker", "hold_position_seconds": position},
        {"event": "Suspended", "seconds": 60, "hold_position_seconds": position},
        {"event": "Xrun", "device": "microphone", "times": 3},
        {"event": "Started"}, {"action": "Say", "key": "welcome", "text": "Hello."},
    ))  # fmt: skip


@cache
def _pack() -> language_pack.LanguagePack:
    return language_pack.load(intents_folder("en"))


def read_journal(path: Path) -> None:
    """Replay a journal and draw the report of each of its sessions."""
    for recording in replay.recordings(path, journal.read(path)):
        moments = list(replay.play(recording, _pack(), Conditions()))
        page = report.page(moments, _pack(), None)
        assert report_text.text(page)
        assert report_svg.draw(page)


# --- Settings ------------------------------------------------------------------------------------

_NAMES = tuple(settings.settings_of(settings.Settings))
_USUAL = {
    "volume": 0.5, "hold_seconds": 12, "count": '"down"', "rounds": 2, "terse": "true",
    "voice": '"en-gb"', "microphone": 3, "speaker": '"Headset"', "pace": 0.8, "language": '"de"',
}  # fmt: skip


def settings_file(chance: random.Random) -> bytes:
    """Return settings: known names, any values, harmed."""
    names = chance.sample(sorted(_USUAL), chance.randrange(1, 6))
    lines = [f"{name} = {_USUAL[name]}" for name in names]
    if chance.random() < 0.3:
        name, value = chance.choice(_NAMES), chance.choice(VALUES)
        lines.append(f"{name} = {value if not isinstance(value, dict) else '{x = 1}'}")
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    return mutated(data, chance) if chance.random() < 0.5 else data


def read_settings(path: Path) -> None:
    """Load the settings."""
    settings.load(path)


# --- Languages -----------------------------------------------------------------------------------


@cache
def _sources() -> tuple[Path, ...]:
    folder = intents_folder("en")
    few = ("_common.yaml", "language.yaml", "position.yaml")
    found = sorted(folder.rglob("*.yaml"))
    return tuple(
        path.relative_to(folder)
        for path in found
        if path.parent.name != "sentences" or path.name in few
    )


def language_file(chance: random.Random) -> bytes:
    """Return one harmed file of a language, with its name in the first line."""
    name = chance.choice(_sources())
    return f"{name}\n".encode() + mutated((intents_folder("en") / name).read_bytes(), chance)


def read_language(path: Path) -> None:
    """Load a language in which one file is the harmed one."""
    name, _, data = path.read_bytes().partition(b"\n")
    folder = path.parent / "language"
    if not folder.is_dir():
        for source in _sources():
            (folder / source).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(intents_folder("en") / source, folder / source)
    harmed = folder / name.decode()
    whole = harmed.read_bytes()
    try:
        harmed.write_bytes(data)
        if harmed.parent.name == "sentences":
            intents.load(folder / "sentences")
        else:
            language_pack.load(folder)
    finally:
        harmed.write_bytes(whole)


# --- Sound ---------------------------------------------------------------------------------------

_SUBTYPES = {"WAV": "PCM_16", "FLAC": "PCM_16", "OGG": "VORBIS", "MP3": "MPEG_LAYER_III"}


@cache
def _sound(kind: str, channels: int, rate: int) -> bytes:
    buffer, wave = io.BytesIO(), np.sin(np.arange(4_000) * 0.1)
    both = np.tile(wave[:, None], (1, channels))
    soundfile.write(buffer, both, rate, format=kind, subtype=_SUBTYPES[kind])
    return buffer.getvalue()


def sound_file(chance: random.Random) -> bytes:
    """Return a harmed sound file; the harm is often in its header."""
    data = _sound(
        chance.choice(tuple(_SUBTYPES)), chance.choice((1, 2)), chance.choice((8_000, 48_000))
    )
    head = chance.choice((48, len(data)))
    if chance.random() < 0.5:
        return data[:head] + mutated(data[head:], chance)
    return mutated(data[:head], chance) + data[head:]


def read_sound(path: Path) -> None:
    """Read the sound."""
    assert audio_file.read(path).samples.dtype == np.int16


# --- Cached lines --------------------------------------------------------------------------------


class _Tone:
    name = "tone"

    def render(self, text: str, pace: float = 1.0) -> Pcm:
        wave = 9_000 * np.sin(np.arange(round(900 * pace)) * 0.3 + len(text))
        return Pcm(wave.astype(np.int16), 22_050)


@cache
def _entry() -> tuple[str, bytes, Pcm]:
    """Return the name of a cached line, its content, and what it sounds like."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        pcm = CachedVoice(_Tone(), Path(folder)).render("one")
        (entry,) = Path(folder).iterdir()
        return entry.name, entry.read_bytes(), pcm


def entry_file(chance: random.Random) -> bytes:
    """Return a harmed entry of the voice cache."""
    data = _entry()[1]
    head = chance.choice((4, 16, 40, len(data)))
    return mutated(data[:head], chance) + data[head:]


def read_entry(path: Path) -> None:
    """Speak the line: it sounds as it did, whatever became of its entry."""
    name, _, whole = _entry()
    shutil.copyfile(path, path.parent / name)
    assert CachedVoice(_Tone(), path.parent).render("one") == whole


KINDS: dict[str, tuple[Callable[[random.Random], bytes], Callable[[Path], None]]] = {
    "journal": (journal_file, read_journal),
    "settings": (settings_file, read_settings),
    "language": (language_file, read_language),
    "sound": (sound_file, read_sound),
    "entry": (entry_file, read_entry),
}


def case(kind: str, seed: int, number: int) -> bytes:
    """Return one file: the same for the same kind, seed and number."""
    return KINDS[kind][0](random.Random(f"{kind} {seed} {number}"))


def read(kind: str, data: bytes, folder: Path) -> bool:
    """Read a file as the program does; return whether it was refused, in a sentence."""
    path = folder / f"case.{kind}"
    path.write_bytes(data)
    try:
        KINDS[kind][1](path)
    except AssistantError:
        return True
    return False
