"""The sound devices of this machine: list them and choose one."""

from dataclasses import dataclass
from typing import Literal

from assistant.audio.pcm import DEFAULT_RATE
from assistant.audio.portaudio import reason, sounddevice
from assistant.errors import DeviceError

Kind = Literal["input", "output"]
NAMES: dict[Kind, str] = {"input": "microphone", "output": "speaker"}


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
    sd = sounddevice()
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
    return agreed_format(device, "output", rate)[0]


def agreed_format(device: DeviceInfo, kind: Kind, rate: int) -> tuple[int, int]:
    """Return (rate, channels) that the device takes, mono at the wanted rate if it can."""
    sd = sounddevice()
    check = sd.check_input_settings if kind == "input" else sd.check_output_settings
    refusal = "it takes neither mono nor stereo"
    for candidate in (rate, device.rate):
        for channels in (1, 2):
            try:
                check(device=device.index, channels=channels, dtype="int16", samplerate=candidate)
            except (sd.PortAudioError, ValueError) as error:
                refusal = reason(error)
            else:
                return candidate, channels
    raise DeviceError(f'The {NAMES[kind]} "{device.name}" cannot be used ({refusal}).')
