"""What the user may set, from a TOML file, by flags and by voice.

A flag overrides the file, and the file overrides the default. Nothing is guessed: a wrong name,
type or range is an error that says where it is and what was expected.

A setting is one field of `Settings`. Its check, its flag, its line in `--help` and its row in
docs/settings.md are all made from the field.
"""

import contextlib
import difflib
import json
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

from assistant.dialogue.hold import CountStyle
from assistant.errors import SettingsError
from assistant.paths import settings_file
from assistant.remembered import recall


@dataclass(frozen=True, slots=True)
class About:
    """What a field of `Settings` says of itself besides its type and default."""

    doc: str
    """Its meaning, for docs/settings.md."""
    help: str = ""
    """One line for `--help`, without the range; empty if the setting has no flag."""
    flag: str = ""
    """The flag, such as "--hold"; empty for one of the field's own name."""
    range: tuple[float, float] | None = None
    """Smallest and largest value of a number."""
    by_voice: bool = False
    """True if it can be changed by voice, and is then remembered."""
    may_be_number: bool = False
    """True if a text may be written as a number, as devices have."""
    pattern: str = ""
    """What a text must match, as a regular expression."""
    pattern_name: str = ""
    """That in words, with an example."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a user may choose."""

    voice: Annotated[
        str | None,
        About(
            "A voice's id or part of its name (`charley devices --voices`); left out: Charley's "
            "own voice.",
            help="A voice, such as en-us or en-gb+f3.",
            by_voice=True,
        ),
    ] = None
    words_per_minute: Annotated[
        int,
        About(
            "Speaking rate; the default is a little slower than talk, for people who run and hurt.",
            help="Words a minute",
            flag="--rate",
            range=(80, 400),
        ),
    ] = 165
    volume: Annotated[
        float,
        About(
            'Loudness from silent to full; "louder" and "quieter" start from here.',
            help="Loudness",
            range=(0, 1),
        ),
    ] = 1.0
    hold_seconds: Annotated[
        int,
        About(
            "Length of a hold in seconds; ten is what the method says.",
            help="Seconds of one hold",
            flag="--hold",
            range=(5, 60),
            by_voice=True,
        ),
    ] = 10
    count: Annotated[
        CountStyle,
        About(
            "Count up from one, or down to one, for people who like to hear what is left.",
            help="Direction of the count",
            by_voice=True,
        ),
    ] = CountStyle.UP
    rounds: Annotated[
        int,
        About(
            "Holds before another position is tried; more of the same has not helped by then.",
            help="Holds in one position",
            range=(1, 6),
            by_voice=True,
        ),
    ] = 3
    terse: Annotated[
        bool,
        About("True for fewer words: short openings and short questions.", by_voice=True),
    ] = False
    checkin_seconds: Annotated[
        float,
        About(
            'From "gone" to "how is it?", in seconds; 0 for no check-in.',
            range=(0, 3600),
            by_voice=True,
        ),
    ] = 240.0
    pace: Annotated[
        float,
        About(
            'Speed of speech and of the pauses; "slower" and "faster" start from here.',
            range=(0.5, 1.5),
        ),
    ] = 1.0
    lead_in_seconds: Annotated[
        float,
        About(
            "Silence before speech, in seconds; Bluetooth earbuds swallow the first 0.5 s.",
            help="Seconds of silence before speech",
            flag="--lead-in",
            range=(0, 2),
        ),
    ] = 0.0
    microphone: Annotated[
        str | None,
        About(
            "A device's number or part of its name (`charley devices`); left out: the system's "
            "choice.",
            help="A device's number or part of its name.",
            may_be_number=True,
        ),
    ] = None
    speaker: Annotated[
        str | None,
        About(
            "A device's number or part of its name (`charley devices`); left out: the system's "
            "choice.",
            help="A device's number or part of its name.",
            may_be_number=True,
        ),
    ] = None
    loudspeaker: Annotated[
        bool,
        About(
            "True where the microphone hears Charley, such as on a kitchen speaker; its own voice "
            "is then taken out of what it hears.",
            help="The microphone hears Charley, as in a kitchen.",
        ),
    ] = False
    lower_music: Annotated[
        bool,
        About(
            "Other programs' sound is lowered while Charley speaks, where PulseAudio or PipeWire "
            "plays it (`charley doctor` shows whether it does).",
            help="Lower other programs' sound while Charley speaks.",
        ),
    ] = True
    push_to_talk: Annotated[
        bool,
        About(
            "True to be heard only after a key (the space bar, in a terminal) or a headset's "
            "button.",
            help="Listen only after a key or button.",
        ),
    ] = False
    media_buttons: Annotated[
        bool,
        About(
            "True to let a headset's buttons steer Charley (Linux). Needs the extra `buttons`.",
            help="A headset's buttons steer Charley.",
        ),
    ] = False
    model: Annotated[
        str | None,
        About(
            "A speech model's name (`charley models list`) or folder; left out: the best one "
            "installed.",
            help="A speech model's name or folder.",
        ),
    ] = None
    language: Annotated[
        str,
        About(
            "A folder of intents/.",
            help="A folder of intents/, such as de.",
            pattern="[a-z]{2,3}([_-][A-Za-z]{2,4})?",
            pattern_name='a language code such as "en"',
        ),
    ] = "en"


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of `Settings`, as checks, flags and docs need it."""

    name: str
    kind: type[Any]
    """The type of its values: bool, int, float, str, or an Enum of texts."""
    default: Any
    about: About

    @property
    def flag(self) -> str:
        """The flag that sets it; a setting without help has none, and is called by its name."""
        return self.about.flag or f"--{self.name.replace('_', '-')}"

    @property
    def has_flag(self) -> bool:
        """True if it can be set on the command line."""
        return bool(self.about.help)

    @property
    def is_switch(self) -> bool:
        """True if its flag takes no value."""
        return self.kind is bool

    @property
    def choices(self) -> tuple[str, ...]:
        """The only texts that it can be; empty for any."""
        return tuple(str(item.value) for item in self.kind) if issubclass(self.kind, Enum) else ()

    @property
    def help(self) -> str:
        """The line in `--help`, with the values that are allowed."""
        allowed = " or ".join(self.choices) or self._range
        return f"{self.about.help}, {allowed}." if allowed else self.about.help

    @property
    def values(self) -> str:
        """The values that are allowed, in Markdown."""
        if self.is_switch:
            return "`true`, `false`"
        return ", ".join(f"`{choice}`" for choice in self.choices) or self._range or "text"

    @property
    def _range(self) -> str:
        return f"{self.about.range[0]:g} to {self.about.range[1]:g}" if self.about.range else ""


def settings_of(kind: type[Settings]) -> Mapping[str, Setting]:
    """Return every setting of a class by its name, in the order of the fields."""
    hints = get_type_hints(kind, include_extras=True)
    found = {}
    for field in fields(kind):
        annotated, about = get_args(hints[field.name])
        value_type = next((t for t in get_args(annotated) if t is not type(None)), annotated)
        found[field.name] = Setting(field.name, value_type, field.default, about)
    return found


_LONGEST_TEXT = 1_000
_LARGEST_NUMBER = 10**9
"""Of a device."""
_LARGEST_FILE_BYTES = 100_000
_LONGEST_LINE = 2 * _LONGEST_TEXT
"""Characters; tomllib takes a minute for a key of 20,000 parts."""


# --- From a file, from flags and from what was said ----------------------------------------------


def load(
    path: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    kind: type[Settings] = Settings,
) -> Settings:
    """Return the settings of a file with `overrides` (flags) on top.

    `path` None is the user's own file, which may be absent, with what was changed by voice since.
    An override of None means that its flag was not given. Raises SettingsError.
    """
    known = settings_of(kind)
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    values = _from_file(path or settings_file(), known, must_exist=path is not None)
    if path is None:
        language = given.get("language") or values.get("language") or known["language"].default
        values |= _remembered(known, str(language))
    for name, value in given.items():
        setting = known.get(name)
        where = setting.flag if setting else f"--{name.replace('_', '-')}"
        values[name] = _checked(known, name, value, where)
    return kind(**values)


def _remembered(known: Mapping[str, Setting], language: str) -> dict[str, Any]:
    """Return what was changed by voice; a value that no longer fits is ignored."""
    values = {}
    for name, setting in known.items():
        text = recall(name) if setting.about.by_voice else None
        # A voice was chosen from those of a language, which are named by its code.
        if text is not None and (name != "voice" or text[:2] == language[:2]):
            with contextlib.suppress(SettingsError, ValueError):
                values[name] = _checked(known, name, _read_remembered(setting, text), name)
    return values


def _read_remembered(setting: Setting, text: str) -> object:
    if setting.kind is bool:
        return text == "true"
    return setting.kind(text) if setting.kind in (int, float) else text


def _from_file(file: Path, known: Mapping[str, Setting], *, must_exist: bool) -> dict[str, Any]:
    text = _read(file, must_exist=must_exist)
    try:
        _refuse_long_lines(text)
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # too many digits are a ValueError, too
        place = re.search(r"line (\d+)", str(error))
        where = f"{file}, line {place[1] if place else text.count(chr(10)) + 1}"
        raise SettingsError(
            f"{where}: this is not TOML ({_reason(error)}); write each setting as "
            'name = value, with text in "quotes".'
        ) from error
    return {
        name: _checked(known, name, value, f"{file}, line {_line(text, name)}: {_short(name)}")
        for name, value in table.items()
    }


def _refuse_long_lines(text: str) -> None:
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > _LONGEST_LINE:
            raise ValueError(f"more than {_LONGEST_LINE:,} characters (at line {number})")


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
            "fix or remove it."
        ) from error


def _reason(error: Exception) -> str:
    return re.sub(r" \(at .*\)", "", str(error)).lower() or type(error).__name__


def _line(text: str, name: str) -> int:
    """Return the line on which a top-level key or table of a TOML text stands."""
    key = rf"[\"']?{re.escape(name)}[\"']?"
    pattern = re.compile(rf"\s*(?:{key}\s*[.=]|\[+\s*{key}\s*[.\]])")
    lines = text.splitlines()
    return next((number for number, line in enumerate(lines, 1) if pattern.match(line)), 1)


# --- Checks --------------------------------------------------------------------------------------


def _checked(known: Mapping[str, Setting], name: str, value: object, where: str) -> object:
    """Return a setting's value in its own type, or raise SettingsError naming `where`."""
    setting = known.get(name)
    if setting is None:
        raise SettingsError(f"{where} is no setting; {_did_you_mean(name, tuple(known))}")
    if setting.choices:
        return _choice(setting, value, where)
    if setting.kind is bool:
        return _switch(value, where)
    if setting.kind in (int, float):
        return _number(setting, value, where)
    return _text(setting.about, value, where)


def checked_value(name: str, value: object) -> object:
    """Return a value that a setting may have, or raise SettingsError."""
    return _checked(settings_of(Settings), name, value, name)


def _did_you_mean(name: str, names: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name.lower().replace("-", "_"), names, n=1)
    return f'did you mean "{near[0]}"?' if near else f"there are {', '.join(names)}."


def _choice(setting: Setting, value: object, where: str) -> object:
    try:
        return setting.kind(str(value))
    except ValueError as error:
        choices = " or ".join(f'"{choice}"' for choice in setting.choices)
        raise SettingsError(f"{where} must be {choices}, not {_shown(value)}.") from error


def _switch(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise SettingsError(f"{where} must be true or false, not {_shown(value)}.")
    return value


def _number(setting: Setting, value: object, where: str) -> float:
    low, high = setting.about.range or (-math.inf, math.inf)
    fitting = int if setting.kind is int else (int, float)
    if isinstance(value, fitting) and not isinstance(value, bool) and low <= value <= high:
        number: float = setting.kind(value)
        return number
    kind = "a whole number" if setting.kind is int else "a number"
    allowed = f"{kind} from {low:g} to {high:g}" if setting.about.range else kind
    raise SettingsError(f"{where} must be {allowed}, not {_shown(value)}.")


def _text(about: About, value: object, where: str) -> str:
    if about.may_be_number and type(value) is int and abs(value) < _LARGEST_NUMBER:
        return str(value)
    if not isinstance(value, str) or not value.strip():
        raise SettingsError(f'{where} must be text in "quotes", not {_shown(value)}.')
    if len(value) > _LONGEST_TEXT or not value.isprintable():
        raise SettingsError(f"{where} must be one short line of plain text.")
    if about.pattern and not re.fullmatch(about.pattern, value):
        raise SettingsError(f"{where} must be {about.pattern_name}, not {_shown(value)}.")
    return value.strip()


def _shown(value: object) -> str:
    try:
        return _short(json.dumps(value, default=str))
    except (ValueError, RecursionError):  # thousands of digits, or of brackets
        return "what is there"


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}..."
