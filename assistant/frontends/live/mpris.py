"""A headset's buttons, as they reach a Linux desktop: Charley as a media player on D-Bus (MPRIS).

The only module that knows dbus-fast. The specification: MPRIS D-Bus Interface Specification 2.2.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Annotated, Any, Self

from dbus_fast import (
    AuthError,
    DBusError,
    InvalidAddressError,
    NameFlag,
    PropertyAccess,
    RequestNameReply,
    Variant,
)
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import (
    DBusBool,
    DBusDict,
    DBusDouble,
    DBusInt64,
    DBusObjectPath,
    DBusSignature,
    DBusStr,
)
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property

from assistant.dialogue.state import State
from assistant.errors import DeviceError
from assistant.frontends.live.buttons import Button

NAME = "org.mpris.MediaPlayer2.charley"
PATH = "/org/mpris/MediaPlayer2"
_TRACK = "/org/mpris/MediaPlayer2/charley/track"
WAITING = {True: "Paused", False: "Stopped"}
"""The status while Charley waits; with push-to-talk a press of "play" makes sense."""
_CONNECT_SECONDS = 3.0
_Texts = Annotated[list[str], DBusSignature("as")]

Pressed = Callable[[Button], None]


def _constant(name: str, kind: object, value: object) -> Any:
    """Return a property of D-Bus that never changes; the attribute must have its name."""

    def get(_self: object) -> object:
        return value

    get.__name__ = name  # dbus-fast looks it up by this name
    get.__annotations__["return"] = kind
    return dbus_property(PropertyAccess.READ, name)(get)


class _Root(ServiceInterface):
    """What every media player reports about itself."""

    Identity = _constant("Identity", DBusStr, "Charley")
    CanQuit = _constant("CanQuit", DBusBool, False)
    CanRaise = _constant("CanRaise", DBusBool, False)
    HasTrackList = _constant("HasTrackList", DBusBool, False)
    SupportedUriSchemes = _constant("SupportedUriSchemes", _Texts, [])
    SupportedMimeTypes = _constant("SupportedMimeTypes", _Texts, [])

    def __init__(self) -> None:
        super().__init__("org.mpris.MediaPlayer2")

    @dbus_method("Raise")
    def show(self) -> None:
        """There is no window."""

    @dbus_method("Quit")
    def leave(self) -> None:
        """A headset cannot quit the program (CanQuit)."""


class _Player(ServiceInterface):
    """What can be pressed, and whether a routine is running."""

    Rate = _constant("Rate", DBusDouble, 1.0)
    MinimumRate = _constant("MinimumRate", DBusDouble, 1.0)
    MaximumRate = _constant("MaximumRate", DBusDouble, 1.0)
    Volume = _constant("Volume", DBusDouble, 1.0)
    Position = _constant("Position", DBusInt64, 0)
    CanGoNext = _constant("CanGoNext", DBusBool, True)
    CanGoPrevious = _constant("CanGoPrevious", DBusBool, True)
    CanPlay = _constant("CanPlay", DBusBool, True)
    CanPause = _constant("CanPause", DBusBool, True)
    CanSeek = _constant("CanSeek", DBusBool, False)
    CanControl = _constant("CanControl", DBusBool, True)
    Metadata = _constant(
        "Metadata",
        DBusDict,
        {"mpris:trackid": Variant("o", _TRACK), "xesam:title": Variant("s", "Charley")},
    )

    def __init__(self, pressed: Pressed, *, talks: bool) -> None:
        super().__init__("org.mpris.MediaPlayer2.Player")
        self._pressed = pressed
        self._talks = talks
        self.status = WAITING[talks]

    @dbus_property(PropertyAccess.READ, "PlaybackStatus")
    def playback_status(self) -> DBusStr:
        """Playing, Paused or Stopped."""
        return self.status

    def show(self, status: str) -> None:
        """Report the status: the desktop sends buttons to what plays, or played last."""
        self.status = status
        self.emit_properties_changed({"PlaybackStatus": status})

    @dbus_method("PlayPause")
    def play_pause(self) -> None:
        """The middle button."""
        self._press(Button.PAUSE_OR_RESUME)

    @dbus_method("Play")
    def play(self) -> None:
        """The same, from a headset that believes nothing is playing."""
        self._press(Button.RESUME)

    @dbus_method("Pause")
    def pause(self) -> None:
        """The same, from one that believes something is playing."""
        self._press(Button.PAUSE)

    @dbus_method("Stop")
    def stop(self) -> None:
        """The stop button."""
        self._pressed(Button.STOP)

    @dbus_method("Next")
    def next(self) -> None:
        """Two presses, on most headsets."""
        self._pressed(Button.NEXT)

    @dbus_method("Previous")
    def previous(self) -> None:
        """Three presses, on most headsets."""
        self._pressed(Button.BACK)

    @dbus_method("Seek")
    def seek(self, offset: DBusInt64) -> None:
        """Seeking is not supported (CanSeek)."""

    @dbus_method("SetPosition")
    def set_position(self, track: DBusObjectPath, position: DBusInt64) -> None:
        """Seeking is not supported (CanSeek)."""

    @dbus_method("OpenUri")
    def open_uri(self, uri: DBusStr) -> None:
        """Nothing else can be played (SupportedUriSchemes)."""

    def _press(self, button: Button) -> None:
        self._pressed(Button.TALK if self._talks else button)


class MediaButtons:
    """Charley as a media player; a context manager, with a thread of its own."""

    def __init__(self, pressed: Pressed, *, talks: bool) -> None:
        """`talks`: play and pause are push-to-talk, not the routine's pause."""
        self._player = _Player(pressed, talks=talks)
        self._waiting = WAITING[talks]
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="media-buttons", daemon=True)
        self._known = threading.Event()
        self._trouble = "it does not answer"
        self._is_there = False

    def __enter__(self) -> Self:
        """Register on the bus. Raises DeviceError if the desktop has no such buttons."""
        self._thread.start()
        self._known.wait(_CONNECT_SECONDS)
        if not self._is_there:
            raise DeviceError(
                f"The session's D-Bus cannot be used ({self._trouble}), so no button of a headset"
                " reaches Charley."
            )
        return self

    def __exit__(self, *_raised: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(_CONNECT_SECONDS)

    def show(self, state: State) -> None:
        """Show the desktop whether a routine is running; from any thread."""
        status = {State.IDLE: self._waiting, State.PAUSED: "Paused"}.get(state, "Playing")
        if status != self._player.status:
            self._player.status = status
            self._loop.call_soon_threadsafe(self._player.show, status)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except (OSError, AuthError, DBusError, InvalidAddressError) as error:
            self._trouble = str(error).rstrip(".") or "it cannot be reached"
        finally:
            self._known.set()

    async def _serve(self) -> None:
        bus = await MessageBus().connect()
        bus.export(PATH, _Root())
        bus.export(PATH, self._player)
        reply = await bus.request_name(NAME, NameFlag.DO_NOT_QUEUE)
        if reply is not RequestNameReply.PRIMARY_OWNER:  # another Charley is running
            await bus.request_name(f"{NAME}.instance{os.getpid()}")
        self._is_there = True
        self._known.set()
        await self._over.wait()
        bus.disconnect()
