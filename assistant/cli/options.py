"""The flags that every command takes: one for each setting, before the command or behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from assistant import settings as user_settings
from assistant.dialogue.actions import Action
from assistant.dialogue.events import Event
from assistant.errors import SettingsError
from assistant.settings import Settings

SETTINGS = {
    "voice": "voice",
    "rate": "words_per_minute",
    "volume": "volume",
    "hold": "hold_seconds",
    "count": "count",
    "rounds": "rounds",
    "microphone": "microphone",
    "speaker": "speaker",
    "loudspeaker": "loudspeaker",
    "lower_music": "lower_music",
    "push_to_talk": "push_to_talk",
    "media_buttons": "media_buttons",
    "model": "model",
    "lead_in": "lead_in_seconds",
    "language": "language",
}
"""Parameter of the command line to the setting that it overrides."""


def flag(parameter: str) -> str:
    """Return a parameter as it is written on the command line."""
    return f"--{parameter.replace('_', '-')}"


SWITCHES = tuple(
    f"--{no}{name}"
    for name in ("loudspeaker", "lower-music", "push-to-talk", "media-buttons")
    for no in ("", "no-")
)
"""Flags that take no value."""

_ANYWHERE = {"--settings", *map(flag, SETTINGS), *SWITCHES}


class Group(TyperGroup):
    """Commands behind which the settings' flags may stand as well as before."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the settings' flags to the front, where they belong to the program."""
        return super().parse_args(ctx, settings_first(args))


def settings_first(args: Iterable[str]) -> list[str]:
    """Return the arguments with the settings' flags and their values before all others."""
    first: list[str] = []
    rest: list[str] = []
    left = iter(args)
    for arg in left:
        if arg == "--":
            return [*first, *rest, arg, *left]
        name, joined, _ = arg.partition("=")
        if name not in _ANYWHERE:
            rest.append(arg)
        elif joined or name in SWITCHES:
            first.append(arg)
        elif (value := next(left, None)) is not None:
            first += [arg, value]
        else:
            return [arg]  # without its value: the parser says so
    return first + rest


def load(path: Path | None, given: Mapping[str, object]) -> Settings:
    """Return the user's settings with the flags on top; a SettingsError names the flag."""
    overrides = {name: given[parameter] for parameter, name in SETTINGS.items()}
    try:
        return user_settings.load(path, overrides)
    except SettingsError as error:
        text = str(error)
        for parameter, name in SETTINGS.items():
            text = text.replace(f"{flag(name)} ", f"{flag(parameter)} ")
        raise SettingsError(text) from None


def chosen(ctx: typer.Context) -> Settings:
    """Return the settings for a command."""
    ready: Callable[[], Settings] = ctx.obj
    return ready()


# --- What several commands take ------------------------------------------------------------------

JournalFile = Annotated[
    Path | None,
    typer.Option("--journal", metavar="FILE", help="Keep what happens as JSON lines in this file."),
]
JournalText = Annotated[
    bool, typer.Option("--journal-text", help="Keep what you say in the journal, too.")
]
StateName = Annotated[
    str | None,
    typer.Option("--state", metavar="NAME", help="Understand as in this state, such as checking."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]

Watch = Callable[[Event, tuple[Action, ...]], None]


def journal(
    path: Path | None, settings: Settings, *, with_text: bool, tell: Callable[[str], None]
) -> AbstractContextManager[Any]:
    """Return a context that gives a Journal, or None if no file was named. JournalError."""
    if path is None:
        if with_text:
            raise SettingsError("--journal-text needs --journal FILE.")
        return nullcontext()
    from datetime import datetime

    from assistant.session import factory
    from assistant.session.journal import Conditions, Journal

    conditions = Conditions(
        datetime.now().astimezone().isoformat(timespec="seconds"),
        settings.language,
        factory.coaching_options(settings),
        factory.initial_state(settings),
    )
    return Journal(path, with_text, tell, conditions)


def context(state: str | None) -> frozenset[str] | None:
    """Return what counts in a state, None for everything; SettingsError lists the states."""
    if state is None:
        return None
    from assistant.dialogue.machine import listening
    from assistant.dialogue.state import DialogueState, State

    names = ", ".join(known.value for known in State)
    try:
        return listening(DialogueState(state=State(state.lower()))).context
    except ValueError:
        raise SettingsError(f'There is no state "{state[:40]}"; there are {names}.') from None
