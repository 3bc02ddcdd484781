"""Keys and a headset's buttons, where the user wants them."""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from assistant.dialogue.state import State
from assistant.errors import DeviceError, SettingsError
from assistant.frontends.live.buttons import Button
from assistant.frontends.live.microphone_input import MicrophoneInput
from assistant.frontends.live.shutdown import Leave
from assistant.frontends.live.terminal_keys import Keys, is_terminal
from assistant.session.factory import Language
from assistant.session.hooks import Tell
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.frontends.live.mpris import MediaButtons


class ButtonInput:
    """Keys and a headset's buttons, where the user wants them."""

    def __init__(
        self,
        settings: Settings,
        language: Language,
        opened: ExitStack,
        *,
        leave: Leave,
        tell: Tell,
        microphone: MicrophoneInput,
    ) -> None:
        """Raises SettingsError if the user would have no way to be heard."""
        self._microphone = microphone
        self._pressed: queue.SimpleQueue[Button] = queue.SimpleQueue()
        self._media: MediaButtons | None = None
        if settings.media_buttons:
            try:
                self._media = opened.enter_context(_media_buttons(self._press, settings))
            except DeviceError as error:
                tell(str(error))
        if microphone.talk is None:
            return
        if is_terminal():
            keys = opened.enter_context(Keys(sys.stdin, self._press))
            leave.at_last = keys.give_back
            tell(language.pack.ui_text("typing.keys"))
        elif self._media is None:
            raise SettingsError(
                "For push-to-talk there must be a key or a button: start Charley in a terminal,"
                " or with --media-buttons."
            )

    def _press(self, button: Button) -> None:
        if button is Button.TALK:
            self._microphone.forget()
        self._pressed.put(button)

    def take(self) -> Iterator[Button]:
        """Yield what was pressed since the last time."""
        while not self._pressed.empty():
            yield self._pressed.get()

    def show(self, state: State) -> None:
        """Show the desktop whether a routine is running."""
        if self._media is not None:
            self._media.show(state)


def _media_buttons(pressed: Callable[[Button], None], settings: Settings) -> MediaButtons:
    """Return a headset's buttons. SettingsError if their package is not installed."""
    try:
        from assistant.frontends.live.mpris import MediaButtons
    except ImportError:
        raise SettingsError(
            "media_buttons needs the Python package dbus-fast: `.venv/bin/python -m pip install"
            " dbus-fast`, on Linux."
        ) from None
    return MediaButtons(pressed, talks=settings.push_to_talk)
