"""`charley serve`: Charley for a home's satellites and for Home Assistant, over the network."""

from __future__ import annotations

import os
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli import options
from assistant.cli.output import tell
from assistant.errors import NetworkError

if TYPE_CHECKING:
    from assistant.frontends.home_assistant.announce import HomeAssistant
    from assistant.frontends.wyoming.satellite import Address

app = typer.Typer()

PORT = 10300
HEALTH_PORT = 9300
_TOKEN = "CHARLEY_HOME_ASSISTANT_TOKEN"  # noqa: S105  # the name of a variable


@app.command(epilog="Example: charley serve --satellite tcp://kitchen.local:10700")
def serve(
    ctx: typer.Context,
    *,
    satellite: Annotated[
        list[str] | None,
        typer.Option(metavar="URI", help="Talk through this Wyoming satellite; may be repeated."),
    ] = None,
    discover: Annotated[
        bool, typer.Option("--discover", help="Find satellites by zeroconf.")
    ] = False,
    uri: Annotated[
        str, typer.Option(help="Where Home Assistant asks for handle, asr and tts.")
    ] = f"tcp://127.0.0.1:{PORT}",
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Listen on this network address instead of this machine alone."
        ),
    ] = None,
    announce: Annotated[
        str, typer.Option(metavar="NAME", help="The name told by zeroconf; empty for none.")
    ] = "",
    health: Annotated[
        str, typer.Option(help="Where /health and /metrics are; empty for nowhere.")
    ] = f"tcp://127.0.0.1:{HEALTH_PORT}",
    home_assistant: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Push the steps that follow a reply through this."),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, help=f"Its access token; or ${_TOKEN}."),
    ] = None,
    lead: Annotated[
        float, typer.Option(min=0.04, max=1.0, help="Seconds of sound sent ahead.")
    ] = 0.12,
    sessions: Annotated[int, typer.Option(min=1, max=256, help="Conversations at most.")] = 16,
) -> None:
    """Be Charley for Wyoming satellites and for Home Assistant, until Ctrl-C.

    Nothing listens beyond this machine unless --listen says so: the protocol knows no passwords.
    """
    settings = options.chosen(ctx)
    try:
        from assistant.frontends.wyoming import process
        from assistant.frontends.wyoming.satellite import SATELLITE_PORT, address
        from assistant.frontends.wyoming.wire import Limits
    except ImportError as error:
        raise NetworkError(
            f"The network's packages are missing ({error.name}); "
            "in Charley's folder, script/setup --wyoming installs them."
        ) from None
    plan = process.Plan(
        listen=_services(address(uri, PORT), listen),
        health=address(health, HEALTH_PORT) if health else None,
        satellites=tuple(address(one, SATELLITE_PORT) for one in satellite or ()),
        discover=discover,
        announce=announce,
        home=_home(home_assistant, token_file),
        lead_seconds=lead,
        limits=Limits(sessions=sessions),
    )
    process.serve(settings, plan, tell)


def _services(at: Address, listen: str | None) -> Address:
    """Return where to listen: on this machine alone unless another address was named."""
    if listen:
        return replace(at, host=listen)
    if not is_loopback(at.host):
        raise NetworkError(
            f"{at} can be reached from the network, and Wyoming knows no passwords; "
            f"if that is what you want, add --listen {at.host}."
        )
    return at


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _home(url: str | None, token_file: Path | None) -> HomeAssistant | None:
    if url is None:
        return None
    from assistant.frontends.home_assistant.announce import HomeAssistant

    token = os.environ.get(_TOKEN, "")
    if token_file is not None:
        try:
            token = token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise NetworkError(f"{token_file}: the access token cannot be read.") from None
    return HomeAssistant(url, token)
