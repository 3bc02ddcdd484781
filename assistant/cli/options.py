"""The flags that every command takes, one for each setting, before or after the command."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperGroup

from assistant.dialogue.actions import Listen
from assistant.errors import SettingsError
from assistant.settings import Setting, Settings, settings_of

_Program = TypeVar("_Program", bound=Callable[..., None])


FLAGS = tuple(setting for setting in settings_of(Settings).values() if setting.has_flag)
"""The settings that can be given on the command line."""


def _written(setting: Setting) -> tuple[str, ...]:
    """Return a setting's flags: one, or two for a switch."""
    return (setting.flag, f"--no-{setting.flag[2:]}") if setting.is_switch else (setting.flag,)


def with_flags(flags: Iterable[Setting]) -> Callable[[_Program], _Program]:
    """Give a command a parameter for each setting; it gets their values in `**given`, by name."""

    def add(command: _Program) -> _Program:
        signature = inspect.signature(command, eval_str=True)
        own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        more = [_parameter(setting) for setting in flags]
        command.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
        command.__annotations__ |= {parameter.name: parameter.annotation for parameter in more}
        return command

    return add


def _parameter(setting: Setting) -> inspect.Parameter:
    """Return the type that typer parses; `Settings` checks strings, not typer."""
    kind = setting.kind if setting.kind in (bool, int, float) else str
    option = typer.Option("/".join(_written(setting)), help=setting.help)
    return inspect.Parameter(
        setting.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, option],
    )


_SWITCHES = {name for setting in FLAGS if setting.is_switch for name in _written(setting)}
_ANYWHERE = {"--settings"}.union(*map(_written, FLAGS))


class Group(TyperGroup):
    """Commands that take the settings' flags before or after their name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Move the settings' flags to the front, where they belong to the program."""
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
        elif joined or name in _SWITCHES:
            first.append(arg)
        elif (value := next(left, None)) is not None:
            first += [arg, value]
        else:
            return [arg]  # its value is missing: the parser reports it
    return first + rest


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


def journal(
    path: Path | None, settings: Settings, *, with_text: bool, tell: Callable[[str], None]
) -> AbstractContextManager[Any]:
    """Return a context of a Journal, or of None if no file was named. JournalError."""
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


def listening(state: str | None) -> Listen | None:
    """Return what may be said in a state, None for everything; SettingsError lists the states."""
    if state is None:
        return None
    from assistant.dialogue.machine import listening
    from assistant.dialogue.state import DialogueState, State

    names = ", ".join(known.value for known in State)
    try:
        return listening(DialogueState(state=State(state.lower())))
    except ValueError:
        raise SettingsError(f'There is no state "{state[:40]}"; there are {names}.') from None
