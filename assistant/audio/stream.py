"""An open microphone or speaker: watched, paused and resumed."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any, Self

from assistant.audio.devices import NAMES, Kind, agreed_format, find_device
from assistant.audio.portaudio import reason, sounddevice
from assistant.clock import SystemClock
from assistant.errors import DeviceError

STALL_SECONDS = 1.5
"""A callback that is not called for so long is a lost device; PortAudio reports no unplugging."""

OnLost = Callable[[str], None]
"""Called once, from another thread, with "microphone" or "speaker"."""

_open: list["DeviceStream"] = []
"""The streams that are open."""


def rescan() -> None:
    """List the devices again: PortAudio does so only when it starts, and that ends every stream.

    Streams that were running continue after a gap; one whose device is gone is reported as lost.
    """
    sd = sounddevice()
    streams = list(_open)
    for stream in streams:
        stream.pause()
    # Private, but the only way that sounddevice has; its documentation names it for this.
    sd._terminate()
    sd._initialize()
    for stream in streams:
        stream.resume()


class _StallWatch:
    """Reports once when a running stream ends by itself or its callback is no longer called."""

    def __init__(self, name: str, on_lost: OnLost, stall_seconds: float) -> None:
        self._name = name
        self._on_lost = on_lost
        self._stall_seconds = stall_seconds
        self._called = False
        self._over = threading.Event()
        self._reported = threading.Lock()

    def start(self) -> None:
        threading.Thread(target=self._run, name=f"watch-{self._name}", daemon=True).start()

    def called(self) -> None:
        """Note that the callback was called."""
        self._called = True

    def stop(self) -> None:
        """Note that the stream is closed on purpose."""
        self._over.set()

    def lost(self) -> None:
        """Report a stream that has ended, unless it was closed on purpose."""
        if not self._over.is_set() and self._reported.acquire(blocking=False):
            self._over.set()
            self._on_lost(self._name)

    def _run(self) -> None:
        # The first look comes after two spans: opening a Bluetooth device takes its time. The same
        # grace is given when this program itself stood still.
        self._over.wait(self._stall_seconds)
        clock = SystemClock()
        looked_at = clock.now()
        while not self._over.wait(self._stall_seconds):
            stood_still = clock.now() - looked_at > 2 * self._stall_seconds
            if not self._called and not stood_still:
                self.lost()
            self._called = False
            looked_at = clock.now()


class DeviceStream:
    """What a microphone and a speaker share: open, watch, pause, resume, close."""

    kind: Kind

    def __init__(
        self, device: str | int | None, rate: int, on_lost: OnLost, stall_seconds: float
    ) -> None:
        self._wanted = device
        self.device = find_device(device, self.kind)
        self.rate, self._channels = agreed_format(self.device, self.kind, rate)
        self._on_lost = on_lost
        self._stall_seconds = stall_seconds
        self.watch = _StallWatch(NAMES[self.kind], on_lost, stall_seconds)
        self._stream: Any = None

    def __enter__(self) -> Self:
        """Open and start. Raises DeviceError."""
        sd = sounddevice()
        make = sd.InputStream if self.kind == "input" else sd.OutputStream
        self.watch = _StallWatch(NAMES[self.kind], self._on_lost, self._stall_seconds)
        try:
            self._stream = make(
                device=self.device.index,
                channels=self._channels,
                samplerate=self.rate,
                dtype="int16",
                callback=self._callback,
                finished_callback=self.watch.lost,
                **self._options(),
            )
            self._stream.start()
        except (sd.PortAudioError, ValueError) as error:
            raise DeviceError(
                f'The {NAMES[self.kind]} "{self.device.name}" cannot be opened'
                f" ({reason(error)}); is another program using it?"
            ) from None
        self.watch.start()
        _open.append(self)
        return self

    def __exit__(self, *_raised: object) -> None:
        """Stop and close; also a device that is already gone."""
        self.pause()

    def pause(self) -> None:
        """Let go of the device."""
        self.watch.stop()
        if self in _open:
            _open.remove(self)
        if self._stream is not None:
            with contextlib.suppress(sounddevice().PortAudioError):
                self._stream.close()
            self._stream = None

    def resume(self) -> None:
        """Open the device again, wherever it is in the list now; it is lost if it is not there."""
        try:
            self.device = find_device(self._wanted, self.kind)
            self.__enter__()
        except DeviceError:
            self._on_lost(NAMES[self.kind])

    @property
    def latency_seconds(self) -> float:
        """Time between the device and this program, as PortAudio reports it."""
        return float(self._stream.latency) if self._stream is not None else 0.0

    def _options(self) -> dict[str, Any]:
        return {}

    def _callback(self, data: Any, frames: int, time: Any, status: Any) -> None:
        raise NotImplementedError
