"""Microphone and loudspeaker: the only module that knows sounddevice (PortAudio).

sounddevice is imported when a device is asked for, so that everything else works on a machine
without PortAudio. The callbacks copy and pass on, nothing more.
"""

import contextlib
import ctypes
import queue
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self

import numpy as np

from assistant.audio.pcm import DEFAULT_RATE, Samples
from assistant.audio.shaping import resampler
from assistant.clock import SystemClock
from assistant.errors import DeviceError

LISTEN_RATE = 16000
"""Hertz; what the speech models were trained on."""
BLOCK_SECONDS = 0.03
"""One microphone block: a word of "stop" should not wait for its block to fill."""
QUEUE_BLOCKS = 256
"""About eight seconds; a recogniser that is further behind had better skip."""
SPEAKER_LATENCY_SECONDS = 0.1
"""Sound kept ready for a busy machine; every cut is heard this much later. bench/endurance/xruns.py
measures both."""
FILL_SECONDS = 0.5
SLOWEST = 0.0002
"""Share by which a sound card may run slower than the clock; crystals keep to half of it."""
DRY_SECONDS = 10.0
"""A card that says for longer that it ran dry says it always, and plays all the same."""
STALL_SECONDS = 1.5
"""PortAudio reports no unplugging: the callback simply is not called any more."""

Kind = Literal["input", "output"]
NAMES: dict[Kind, str] = {"input": "microphone", "output": "speaker"}

OnLost = Callable[[str], None]
"""Called once, from another thread, with "microphone" or "speaker"."""


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """One sound device of this machine."""

    index: int
    name: str
    inputs: int
    """Channels that can be recorded; 0 if it is no microphone."""
    outputs: int
    """Channels that can be played; 0 if it is no speaker."""
    rate: int
    """Its own sample rate in hertz."""
    default_input: bool
    default_output: bool

    def channels(self, kind: Kind) -> int:
        """Return how many channels it has for recording or playing."""
        return self.inputs if kind == "input" else self.outputs


def list_devices() -> list[DeviceInfo]:
    """Return all sound devices. Raises DeviceError if PortAudio is missing."""
    sd = _sounddevice()
    defaults = tuple(sd.default.device)
    return [
        DeviceInfo(
            index,
            str(found["name"]),
            int(found["max_input_channels"]),
            int(found["max_output_channels"]),
            round(found["default_samplerate"]),
            index == defaults[0],
            index == defaults[1],
        )
        for index, found in enumerate(sd.query_devices())
    ]


def find_device(wanted: str | int | None, kind: Kind) -> DeviceInfo:
    """Return the device with an index or a part of a name; None or "" is the default one.

    Raises DeviceError, naming what there is, if none fits.
    """
    usable = [device for device in list_devices() if device.channels(kind)]
    if not usable:
        raise DeviceError(f"No {NAMES[kind]} was found; plug one in or switch it on.")
    if wanted is None or wanted == "":
        return _default(usable, kind)
    fits = _by_index(usable, wanted) or _by_name(usable, str(wanted))
    if fits is None:
        there = ", ".join(f'{device.index} "{device.name}"' for device in usable)
        raise DeviceError(f'There is no {NAMES[kind]} "{wanted}"; there is {there}.')
    return fits


def _default(usable: list[DeviceInfo], kind: Kind) -> DeviceInfo:
    for device in usable:
        if device.default_input if kind == "input" else device.default_output:
            return device
    return usable[0]


def _by_index(usable: list[DeviceInfo], wanted: str | int) -> DeviceInfo | None:
    text = str(wanted).strip()
    return next((device for device in usable if str(device.index) == text), None)


def _by_name(usable: list[DeviceInfo], wanted: str) -> DeviceInfo | None:
    name = wanted.strip().lower()
    exact = (device for device in usable if device.name.lower() == name)
    part = (device for device in usable if name in device.name.lower())
    return next(exact, None) or next(part, None)


def output_rate(wanted: str | int | None = None, rate: int = DEFAULT_RATE) -> int:
    """Return a rate that the speaker plays: the given one, or its own. Raises DeviceError."""
    device = find_device(wanted, "output")
    return _agreed(device, "output", rate)[0]


def _agreed(device: DeviceInfo, kind: Kind, rate: int) -> tuple[int, int]:
    """Return (rate, channels) that the device takes, mono at the wanted rate if it can."""
    sd = _sounddevice()
    check = sd.check_input_settings if kind == "input" else sd.check_output_settings
    refusal = "it takes neither mono nor stereo"
    for candidate in (rate, device.rate):
        for channels in (1, 2):
            try:
                check(device=device.index, channels=channels, dtype="int16", samplerate=candidate)
            except (sd.PortAudioError, ValueError) as error:
                refusal = _reason(error)
            else:
                return candidate, channels
    raise DeviceError(f'The {NAMES[kind]} "{device.name}" cannot be used ({refusal}).')


def _sounddevice() -> Any:
    _hush_alsa()
    try:
        import sounddevice
    except OSError:
        raise DeviceError(f"PortAudio is not installed; {_portaudio_hint()}.") from None
    except ImportError as error:
        raise DeviceError(f"The Python package sounddevice cannot be loaded ({error}).") from None
    return sounddevice


def _portaudio_hint() -> str:
    hints = {"linux": "install it with: sudo apt install libportaudio2 (Fedora: portaudio)"}
    return hints.get(sys.platform, "install Charley again, for sounddevice brings it along here")


# ALSA calls it with a format and its arguments, which a C function may leave unread.
_ALSA_HANDLER = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)
_QUIET = _ALSA_HANDLER(lambda *_: None)


def _hush_alsa() -> None:
    """Keep ALSA from writing a page about missing sound cards on standard error."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(_QUIET)


def _reason(error: Exception) -> str:
    text = str(error.args[0] if error.args else error)
    return text.rsplit(": ", 1)[-1].rstrip(".")


_running: list["_Stream"] = []
"""The streams that are open."""


def look_anew() -> None:
    """List the devices anew: PortAudio does so only when it starts, and that ends every stream.

    Those that were running begin again, with a gap; one whose device is gone is told as lost.
    """
    sd = _sounddevice()
    streams = list(_running)
    for stream in streams:
        stream.pause()
    # The one way that sounddevice has; its documentation names it for this.
    sd._terminate()
    sd._initialize()
    for stream in streams:
        stream.go_on()


class _Watch:
    """Tell once when a running stream ends by itself or its callback is no longer called."""

    def __init__(self, name: str, on_lost: OnLost, stall_seconds: float) -> None:
        self._name = name
        self._on_lost = on_lost
        self._stall_seconds = stall_seconds
        self._beaten = False
        self._over = threading.Event()
        self._told = threading.Lock()

    def start(self) -> None:
        threading.Thread(target=self._run, name=f"watch-{self._name}", daemon=True).start()

    def beat(self) -> None:
        """Say that the callback was called."""
        self._beaten = True

    def stop(self) -> None:
        """Say that the stream is closed on purpose."""
        self._over.set()

    def lost(self) -> None:
        """Say that the stream has ended; on purpose or not, `_over` knows."""
        if not self._over.is_set() and self._told.acquire(blocking=False):
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
            if not self._beaten and not stood_still:
                self.lost()
            self._beaten = False
            looked_at = clock.now()


class _Stream:
    """What microphone and speaker share: open once, watch, close."""

    kind: Kind

    def __init__(
        self, device: str | int | None, rate: int, on_lost: OnLost, stall_seconds: float
    ) -> None:
        self._wanted = device
        self.device = find_device(device, self.kind)
        self.rate, self._channels = _agreed(self.device, self.kind, rate)
        self._on_lost = on_lost
        self._stall_seconds = stall_seconds
        self._watch = _Watch(NAMES[self.kind], on_lost, stall_seconds)
        self._stream: Any = None

    def __enter__(self) -> Self:
        """Open and start. Raises DeviceError."""
        sd = _sounddevice()
        make = sd.InputStream if self.kind == "input" else sd.OutputStream
        self._watch = _Watch(NAMES[self.kind], self._on_lost, self._stall_seconds)
        try:
            self._stream = make(
                device=self.device.index,
                channels=self._channels,
                samplerate=self.rate,
                dtype="int16",
                callback=self._callback,
                finished_callback=self._watch.lost,
                **self._options(),
            )
            self._stream.start()
        except (sd.PortAudioError, ValueError) as error:
            raise DeviceError(
                f'The {NAMES[self.kind]} "{self.device.name}" cannot be opened'
                f" ({_reason(error)}); is another program using it?"
            ) from None
        self._watch.start()
        _running.append(self)
        return self

    def __exit__(self, *_raised: object) -> None:
        """Stop and close; a device that is gone already does no harm."""
        self.pause()

    def pause(self) -> None:
        """Let go of the device."""
        self._watch.stop()
        if self in _running:
            _running.remove(self)
        if self._stream is not None:
            with contextlib.suppress(_sounddevice().PortAudioError):
                self._stream.close()
            self._stream = None

    def go_on(self) -> None:
        """Open the device again, wherever it stands in the list now; tell if it is gone."""
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


class Microphone(_Stream):
    """The microphone as blocks of 16 kHz mono; a context manager."""

    kind: Kind = "input"

    def __init__(
        self,
        device: str | int | None = None,
        on_lost: OnLost = lambda _name: None,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        """Choose a device by index or part of its name. Raises DeviceError."""
        super().__init__(device, LISTEN_RATE, on_lost, stall_seconds)
        self.dropped_blocks = 0
        """Blocks lost because nobody read them in time."""
        self.overflows = 0
        """Times that PortAudio itself lost sound."""
        self._blocks: queue.Queue[Samples] = queue.Queue(QUEUE_BLOCKS)
        self._resampled = resampler(self.rate, LISTEN_RATE)

    @property
    def behind_seconds(self) -> float:
        """Sound that was recorded and waits to be read."""
        return self._blocks.qsize() * BLOCK_SECONDS

    def read(self, timeout_seconds: float | None = None) -> Samples | None:
        """Return the next sound, int16 at 16 kHz, or None if none came in time.

        It is one block, or all that wait: in one piece they take a fraction of the work, so a
        reader that is behind catches up.
        """
        blocks: list[Samples] = []
        try:
            blocks.append(self._blocks.get(timeout=timeout_seconds))
            while len(blocks) < QUEUE_BLOCKS:
                blocks.append(self._blocks.get_nowait())
        except queue.Empty:
            if not blocks:
                return None
        return self._resampled(np.concatenate(blocks))

    def forget(self) -> None:
        """Drop what nobody has read yet; from any thread."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._blocks.get_nowait()

    def _options(self) -> dict[str, Any]:
        return {"blocksize": round(BLOCK_SECONDS * self.rate), "latency": "low"}

    def _callback(self, data: Any, frames: int, time: Any, status: Any) -> None:  # noqa: ARG002
        self._watch.beat()
        if status:
            self.overflows += 1
        # Of two channels both, for a headset's voice may be on either.
        block = np.mean(data, axis=1).astype(np.int16)
        while True:
            try:
                return self._blocks.put_nowait(block)
            except queue.Full:
                # The newest sound matters most: "stop" must not wait behind old talk.
                with contextlib.suppress(queue.Empty):
                    self._blocks.get_nowait()
                    self.dropped_blocks += 1


class SampleSource(Protocol):
    """What a speaker pulls its sound from."""

    @property
    def rate(self) -> int:
        """Hertz."""

    def read(self, frames: int) -> Samples:
        """Return the next samples, from the sound card's thread; silence if there is nothing."""


class Speaker(_Stream):
    """The loudspeaker, which pulls its sound from a source; a context manager."""

    kind: Kind = "output"

    def __init__(
        self,
        source: SampleSource,
        device: str | int | None = None,
        on_lost: OnLost = lambda _name: None,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        """Choose a device by index or part of its name; `output_rate` fits the source to it.

        Raises DeviceError.
        """
        super().__init__(device, source.rate, on_lost, stall_seconds)
        if self.rate != source.rate:
            raise DeviceError(
                f'The speaker "{self.device.name}" plays {self.rate} hertz, not {source.rate}.'
            )
        self._source = source
        self.underflows = 0
        """Times that the sound card ran dry and played a gap, its first half second left out."""
        self._clock = SystemClock()
        self._begin()

    def _begin(self) -> None:
        self._is_dry = True
        self._filling = round(FILL_SECONDS * self._source.rate)
        """Frames until then: while the store is filled, PortAudio speaks of underflows."""
        self._pulled = 0
        self._full: float | None = None
        """Seconds that the frames were ahead of the clock when the store was full."""
        self._full_at = 0.0
        self._dry_at: float | None = None
        """Since when the card says at each call that it ran dry."""

    def pause(self) -> None:
        """Let go of the device; what comes after begins anew."""
        super().pause()
        self._begin()

    def _options(self) -> dict[str, Any]:
        return {"latency": SPEAKER_LATENCY_SECONDS}

    def _callback(self, data: Any, frames: int, time: Any, status: Any) -> None:  # noqa: ARG002
        self._watch.beat()
        is_flagged = bool(status)
        is_dry = self._is_late() or is_flagged
        # It is said again at each call until the store is full.
        if is_dry and not self._is_dry and self._filling <= 0:
            self.underflows += 1
        self._is_dry = is_dry
        self._filling -= frames
        self._pulled += frames
        is_thrown_away = self._is_thrown_away(is_flagged=is_flagged)
        data[:] = 0 if is_thrown_away else self._source.read(frames)[:, np.newaxis]

    def _is_thrown_away(self, *, is_flagged: bool) -> bool:
        """Tell whether these frames will not be heard, so that the timeline must wait.

        Until its store is full PulseAudio, behind ALSA, runs dry with each call and begins anew. On
        a machine that is fully loaded it takes seconds, and asked for 27 seconds of sound in 6.
        """
        if not is_flagged:
            self._dry_at = None
            return False
        now = self._clock.now()
        self._dry_at = now if self._dry_at is None else self._dry_at
        return now - self._dry_at < DRY_SECONDS

    def _is_late(self) -> bool:
        """Tell whether the store ran out before these frames; PulseAudio does not always say so."""
        now = self._clock.now()
        ahead = self._pulled / self.rate - now
        if self._full is None or ahead > self._full:
            self._full, self._full_at = ahead, now
        fullest = self._full - SLOWEST * (now - self._full_at)
        if fullest - ahead <= self.latency_seconds:
            return False
        self._full = None  # after the gap it is filled anew
        return True
