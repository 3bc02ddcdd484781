"""systemd: a unit that keeps `charley serve` running, and the reports that its watchdog needs.

The protocol is sd_notify(3): datagrams to the socket that NOTIFY_SOCKET names.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from assistant.atomic_file import write_whole
from assistant.errors import SettingsError

UNIT = "charley.service"
_WATCHDOG_SECONDS = 30
"""Silence of the event loop after which systemd restarts the program."""
_RESTART_SECONDS = 5

_TEXT = """\
# Written by `charley serve --install-service`; write it again to change it.
[Unit]
Description=Charley, a voice coach for muscle cramp
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart={command}
Restart=always
RestartSec={restart}
WatchdogSec={watchdog}
TimeoutStopSec=15
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=strict
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
ReadWritePaths=%h
MemoryMax=512M

[Install]
WantedBy=default.target
"""


def unit(command: Sequence[str]) -> str:
    """Return a user unit that runs a command; its words may hold spaces, quotes and percents."""
    words = " ".join(map(_quoted, command))
    return _TEXT.format(command=words, watchdog=_WATCHDOG_SECONDS, restart=_RESTART_SECONDS)


def _quoted(word: str) -> str:
    """Return a word as systemd reads it back (systemd.service(5), "Command lines")."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def install(command: Sequence[str]) -> Path:
    """Write the unit into the user's own folder for units; return its path. SettingsError."""
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    path = config / "systemd" / "user" / UNIT
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, unit(command).encode())
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written ({error.strerror}).") from None
    return path


def notify(state: str) -> None:
    """Report a state such as READY=1 or WATCHDOG=1; nothing happens outside of systemd."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address or not hasattr(socket, "AF_UNIX"):
        return
    name = f"\0{address[1:]}" if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(state.encode(), name)
