"""`charley serve`: Charley for a home's satellites and for Home Assistant, over the network."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from importlib import import_module
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


Satellites = Annotated[
    list[str] | None,
    typer.Option(metavar="URI", help="Talk through this Wyoming satellite; may be repeated."),
]
Discover = Annotated[bool, typer.Option("--discover", help="Find satellites by zeroconf.")]
ServiceAddress = Annotated[
    str, typer.Option(help="Where Home Assistant asks for handle, asr and tts.")
]
ListenAddress = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS", help="Listen on this network address instead of this machine alone."
    ),
]
AnnouncedName = Annotated[
    str, typer.Option(metavar="NAME", help="The name announced by zeroconf; empty for none.")
]
HealthAddress = Annotated[
    str, typer.Option(help="Where /health and /metrics are; empty for nowhere.")
]
HomeAssistantUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Push the steps that follow a reply through this."),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", exists=True, help=f"Its access token; or ${_TOKEN}."),
]
LeadSeconds = Annotated[float, typer.Option(min=0.04, max=1.0, help="Seconds of sound sent ahead.")]
MostSessions = Annotated[int, typer.Option(min=1, max=256, help="Conversations at most.")]
PerAddress = Annotated[
    int, typer.Option(min=1, max=4096, help="Connections of one address; more behind a balancer.")
]
InstallService = Annotated[
    bool,
    typer.Option(
        "--install-service",
        help="Write a systemd unit that serves with these flags from now on, and end.",
    ),
]


@app.command(epilog="Example: charley serve --satellite tcp://kitchen.local:10700")
def serve(
    ctx: typer.Context,
    *,
    satellite: Satellites = None,
    discover: Discover = False,
    uri: ServiceAddress = f"tcp://127.0.0.1:{PORT}",
    listen: ListenAddress = None,
    announce: AnnouncedName = "",
    health: HealthAddress = f"tcp://127.0.0.1:{HEALTH_PORT}",
    home_assistant: HomeAssistantUrl = None,
    token_file: TokenFile = None,
    lead: LeadSeconds = 0.12,
    sessions: MostSessions = 16,
    per_address: PerAddress = 32,
    install_service: InstallService = False,
) -> None:
    """Serve satellites and Home Assistant.

    Runs until Ctrl-C. Only this machine can connect unless --listen is given: the protocol has no
    passwords.
    """
    settings = options.chosen(ctx)
    _require_packages()
    if install_service:
        _install_service()
        return
    from assistant.frontends.wyoming import process
    from assistant.frontends.wyoming.satellite import SATELLITE_PORT, address
    from assistant.frontends.wyoming.wire import Limits

    plan = process.Plan(
        listen=_services(address(uri, PORT), listen),
        health=address(health, HEALTH_PORT) if health else None,
        satellites=tuple(address(one, SATELLITE_PORT) for one in satellite or ()),
        discover=discover,
        announce=announce,
        home=_home(home_assistant, token_file),
        lead_seconds=lead,
        limits=Limits(
            sessions=sessions,
            connections=max(64, per_address),
            connections_per_address=per_address,
        ),
    )
    process.serve(settings, plan, tell)


def _require_packages() -> None:
    """Raise NetworkError if the optional packages of the network are not installed."""
    try:
        import_module("assistant.frontends.wyoming.process")
    except ImportError as error:
        raise NetworkError(
            f"The network's packages are missing ({error.name}); "
            "in Charley's folder, script/setup --wyoming installs them."
        ) from None


def _install_service() -> None:
    """Write a unit for the command line of this process without the flag that asks for it."""
    from assistant.frontends.monitoring import systemd

    given = [word for word in sys.argv[1:] if word != "--install-service"]
    path = systemd.install([sys.executable, "-m", "assistant", *given])
    print(f"{path}: written. Start it, now and at every boot, with:")
    print(f"  systemctl --user daemon-reload && systemctl --user enable --now {systemd.UNIT}")
    print("  sudo loginctl enable-linger $USER")


def _services(at: Address, listen: str | None) -> Address:
    """Return where to listen: on this machine alone unless another address was given."""
    if listen:
        return replace(at, host=listen)
    if not is_loopback(at.host):
        raise NetworkError(
            f"{at} can be reached from the network, and Wyoming has no passwords; "
            f"if that is what you want, add --listen {at.host}."
        )
    return at


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
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
            if os.name != "nt" and token_file.stat().st_mode & 0o077:
                tell(f"{token_file}: others can read this access token; run chmod 600 on it.")
        except (OSError, UnicodeDecodeError):
            raise NetworkError(f"{token_file}: the access token cannot be read.") from None
    return HomeAssistant(url, token)
