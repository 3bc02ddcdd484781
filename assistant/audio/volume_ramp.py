"""Volumes on a ramp from a stream's own to a lowered one, and back."""

LOWERED_DECIBELS = 15.0
"""How far other sound is lowered: words stand out, and the music can still be heard. (Home
Assistant's speakers take 20 dB, radio stations about 12.)"""
LOWEST = 12
"""Steps of the ramp; step 0 is the stream's own volume."""
NORMAL = 65536
"""PulseAudio's full volume; its scale is cubic (PA_VOLUME_NORM, pulse/volume.h)."""
_ROUNDING = 2
"""By so much a server may return another volume than was set; below 0.001 dB."""

Volumes = tuple[int, ...]
"""One for each channel, on PulseAudio's scale."""


def lowered(original: Volumes, step: int) -> Volumes:
    """Return a stream's volumes at a step of the ramp; at step 0 they are as they were."""
    decibels = LOWERED_DECIBELS * step / LOWEST
    return tuple(round(volume * 10 ** (-decibels / 60)) for volume in original)


def is_lowered(volumes: Volumes, original: Volumes) -> bool:
    """Return whether volumes are what some step of the ramp makes of the original ones."""
    return any(is_same(volumes, lowered(original, step)) for step in range(1, LOWEST + 1))


def is_same(one: Volumes, other: Volumes) -> bool:
    """Return whether volumes are equal but for a server's rounding."""
    return len(one) == len(other) and all(
        abs(a - b) <= _ROUNDING for a, b in zip(one, other, strict=True)
    )
