"""What the user may set, from a TOML file, by flags and by voice.

A flag beats the file, the file beats the default. Nothing here is ever guessed: a wrong name, type
or range is an error that says where it stands and what was expected.
"""

import contextlib
import difflib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from assistant.dialogue.hold import CountStyle
from assistant.errors import SettingsError
from assistant.paths import settings_file
from assistant.remembered import recall


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a user may choose."""

    voice: str | None = None
    """A voice's id or part of its name (`charley devices --voices`); None is Charley's own."""
    words_per_minute: int = 165
    """Speaking rate, 80 to 400; a little under talk, for people who run and hurt."""
    volume: float = 1.0
    """Loudness, 0.0 (silent) to 1.0 (full); "louder" and "quieter" start from here."""
    hold_seconds: int = 10
    """Length of a hold, 5 to 60 seconds; ten is what the method says."""
    count: CountStyle = CountStyle.UP
    """Count "up" from one, or "down" to one, for people who like to hear what is left."""
    rounds: int = 3
    """Holds before another position is tried, 1 to 6; more of the same has not helped by then."""
    terse: bool = False
    """True for fewer words: short openings and short questions."""
    checkin_seconds: float = 240.0
    """From "gone" to "how is it?", up to 3600 seconds; 0 for no check-in."""
    pace: float = 1.0
    """Speed of speech and of the pauses, 0.5 to 1.5; "slower" and "faster" start from here."""
    lead_in_seconds: float = 0.0
    """Silence before speech, 0 to 2 seconds; Bluetooth earbuds swallow the first 0.5 s."""
    microphone: str | None = None
    """A device's number or part of its name (`charley devices`); None is the system's choice."""
    speaker: str | None = None
    """A device's number or part of its name (`charley devices`); None is the system's choice."""
    loudspeaker: bool = False
    """True where the microphone hears Charley, such as on a kitchen speaker; its own voice is then
    taken out of what it hears."""
    lower_music: bool = True
    """Other programs' sound is lowered while Charley speaks, where PulseAudio or PipeWire plays
    it (`charley doctor` tells)."""
    push_to_talk: bool = False
    """True to be heard only after a key (the space bar, in a terminal) or a headset's button."""
    media_buttons: bool = False
    """True to let a headset's buttons steer Charley (Linux). Needs the extra `buttons`."""
    model: str | None = None
    """A speech model's name (`charley models list`) or folder; None is the best that is there."""
    language: str = "en"
    """A folder of intents/."""


_RANGES: dict[str, tuple[float, float]] = {
    "words_per_minute": (80, 400),
    "volume": (0, 1),
    "hold_seconds": (5, 60),
    "rounds": (1, 6),
    "checkin_seconds": (0, 3600),
    "pace": (0.5, 1.5),
    "lead_in_seconds": (0, 2),
}
_NAMES = tuple(field.name for field in fields(Settings))
_WHOLE = ("words_per_minute", "hold_seconds", "rounds")
_NUMBERED = ("microphone", "speaker")
_SWITCHES = ("loudspeaker", "lower_music", "media_buttons", "push_to_talk", "terse")
_SPOKEN = ("hold_seconds", "count", "rounds", "terse", "checkin_seconds", "voice")
"""Settings that can be changed by voice, and are then remembered."""
_LONGEST_TEXT = 1_000
_LARGEST_FILE_BYTES = 100_000


def load(path: Path | None = None, overrides: Mapping[str, object] | None = None) -> Settings:
    """Return the settings of a file with `overrides` (flags) on top.

    `path` None is the user's own file, which may be absent, with what was changed by voice since.
    An override of None means that its flag was not given. Raises SettingsError.
    """
    file = path or settings_file()
    values = _from_file(file, must_exist=path is not None)
    if path is None:
        language = (
            (overrides or {}).get("language") or values.get("language") or Settings().language
        )
        values |= _spoken(str(language))
    for name, value in (overrides or {}).items():
        if value is not None:
            values[name] = _checked(name, value, f"--{name.replace('_', '-')}")
    return Settings(**values)  # type: ignore[arg-type]  # _checked has made every type right


def _spoken(language: str) -> dict[str, object]:
    """Return what was changed by voice; a value that no longer fits is forgotten."""
    values = {}
    for name in _SPOKEN:
        text = recall(name)
        # A voice was chosen from those of a language, which are named by its code.
        if text is not None and (name != "voice" or text[:2] == language[:2]):
            with contextlib.suppress(SettingsError, ValueError):
                values[name] = _checked(name, _read_spoken(name, text), name)
    return values


def _read_spoken(name: str, text: str) -> object:
    if name in _SWITCHES:
        return text == "true"
    if name in _WHOLE:
        return int(text)
    return float(text) if name in _RANGES else text


def _from_file(file: Path, *, must_exist: bool) -> dict[str, object]:
    text = _read(file, must_exist=must_exist)
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        place = re.search(r"line (\d+)", str(error))
        where = f"{file}, line {place[1] if place else text.count(chr(10)) + 1}"
        raise SettingsError(
            f"{where}: this is not TOML ({_reason(error)}); write each setting as "
            'name = value, with text in "quotes".'
        ) from error
    return {
        name: _checked(name, value, f"{file}, line {_line(text, name)}: {name}")
        for name, value in table.items()
    }


def _read(file: Path, *, must_exist: bool) -> str:
    try:
        with file.open("rb") as stream:
            content = stream.read(_LARGEST_FILE_BYTES + 1)
        if len(content) > _LARGEST_FILE_BYTES:
            raise SettingsError(f"{file} is far too large for settings; give another file.")
        return content.decode("utf-8-sig")
    except FileNotFoundError as error:
        if not must_exist:
            return ""
        raise SettingsError(f"There is no settings file {file}; check the path.") from error
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SettingsError(
            f"{file}, line {line}: this is not UTF-8 text; save the file as UTF-8."
        ) from error
    except OSError as error:
        raise SettingsError(
            f"The settings file {file} cannot be read ({error.strerror or error}); "
            "mend or remove it."
        ) from error


def _reason(error: Exception) -> str:
    return re.sub(r" \(at .*\)", "", str(error)).lower() or type(error).__name__


def _line(text: str, name: str) -> int:
    """Return the line on which a top-level key or table of a TOML text stands."""
    key = rf"[\"']?{re.escape(name)}[\"']?"
    pattern = re.compile(rf"\s*(?:{key}\s*[.=]|\[+\s*{key}\s*[.\]])")
    lines = text.splitlines()
    return next((number for number, line in enumerate(lines, 1) if pattern.match(line)), 1)


def _checked(name: str, value: object, where: str) -> object:
    """Return a setting's value in its own type, or raise SettingsError naming `where`."""
    if name not in _NAMES:
        raise SettingsError(f"{where} is no setting; {_did_you_mean(name)}")
    if name == "count":
        return _count(value, where)
    if name in _SWITCHES:
        return _switch(value, where)
    if name in _RANGES:
        return _number(name, value, where)
    if name in _NUMBERED and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text(name, value, where)


def _did_you_mean(name: str) -> str:
    near = difflib.get_close_matches(name.lower().replace("-", "_"), _NAMES, n=1)
    return f'did you mean "{near[0]}"?' if near else f"there are {', '.join(_NAMES)}."


def _count(value: object, where: str) -> CountStyle:
    try:
        return CountStyle(str(value))
    except ValueError as error:
        message = f'{where} must be "up" or "down", not {_shown(value)}.'
        raise SettingsError(message) from error


def _switch(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise SettingsError(f"{where} must be true or false, not {_shown(value)}.")
    return value


def _number(name: str, value: object, where: str) -> float:
    low, high = _RANGES[name]
    if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
        if name not in _WHOLE:
            return float(value)
        if isinstance(value, int):
            return value
    kind = "a whole number" if name in _WHOLE else "a number"
    raise SettingsError(f"{where} must be {kind} from {low:g} to {high:g}, not {_shown(value)}.")


def _text(name: str, value: object, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise SettingsError(f'{where} must be text in "quotes", not {_shown(value)}.')
    if len(value) > _LONGEST_TEXT or not value.isprintable():
        raise SettingsError(f"{where} must be one short line of plain text.")
    if name == "language" and not re.fullmatch(r"[a-z]{2,3}([_-][A-Za-z]{2,4})?", value):
        raise SettingsError(f'{where} must be a language code such as "en", not {_shown(value)}.')
    return value.strip()


def _shown(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 40 else f"{text[:40]}..."
