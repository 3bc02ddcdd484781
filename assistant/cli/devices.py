"""`charley devices`: microphones, speakers and voices that the settings can name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from assistant.audio.devices import DeviceInfo, Kind

app = typer.Typer()


@app.command(epilog="Example: charley devices --voices")
def devices(
    *,
    voices: Annotated[bool, typer.Option("--voices", help="List the voices, too.")] = False,
) -> None:
    """List microphones and speakers.

    With the numbers and names that the settings take.
    """
    from assistant.audio.devices import list_devices

    found = list_devices()
    _print_devices("Microphones", found, "input")
    _print_devices("Speakers", found, "output")
    if voices:
        from assistant.tts.pyttsx3_voice import voices as list_voices

        print("Voices")
        for voice in list_voices():
            print(f"  {voice.name:<24} {voice.description}")


def _print_devices(title: str, found: list[DeviceInfo], kind: Kind) -> None:
    print(title)
    usable = [device for device in found if device.channels(kind)]
    for device in usable:
        is_default = device.default_input if kind == "input" else device.default_output
        mark = " (the system's choice)" if is_default else ""
        print(f"  {device.index:>3}  {device.name}, {device.rate} hertz{mark}")
    if not usable:
        print("  none; plug one in or switch it on")
