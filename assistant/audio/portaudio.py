"""PortAudio, loaded on demand: the only module that imports sounddevice.

Everything else works on a machine without PortAudio.
"""

import contextlib
import ctypes
import sys
from typing import Any

from assistant.errors import DeviceError


def sounddevice() -> Any:
    """Return the package sounddevice. Raises DeviceError, naming what to install."""
    _silence_alsa()
    try:
        import sounddevice as loaded
    except OSError:
        raise DeviceError(f"PortAudio is not installed; {_portaudio_hint()}.") from None
    except ImportError as error:
        raise DeviceError(f"The Python package sounddevice cannot be loaded ({error}).") from None
    return loaded


def _portaudio_hint() -> str:
    hints = {"linux": "install it with: sudo apt install libportaudio2 (Fedora: portaudio)"}
    return hints.get(
        sys.platform, "reinstall Charley; its package sounddevice includes PortAudio here"
    )


# ALSA calls it with a format and its arguments, which a C function may leave unread.
_ALSA_HANDLER = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)
_QUIET = _ALSA_HANDLER(lambda *_: None)


def _silence_alsa() -> None:
    """Keep ALSA from writing a page about missing sound cards on standard error."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(_QUIET)


def reason(error: Exception) -> str:
    """Return the cause in PortAudio's words, without its codes."""
    text = str(error.args[0] if error.args else error)
    return text.rsplit(": ", 1)[-1].rstrip(".")
