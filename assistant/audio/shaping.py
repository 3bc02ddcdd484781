"""Operations on whole sounds: resampling, fades, trimmed silence, audible onsets."""

from collections.abc import Callable

import numpy as np

from assistant.audio.pcm import Pcm, Samples, from_int16, to_int16


def resample(pcm: Pcm, rate: int) -> Pcm:
    """Return the same sound at another rate in hertz."""
    if rate == pcm.rate:
        return pcm
    import soxr

    signal = soxr.resample(from_int16(pcm.samples), pcm.rate, rate, quality="HQ")
    return Pcm(to_int16(signal), rate)


def resampler(from_rate: int, to_rate: int, quality: str = "HQ") -> Callable[[Samples], Samples]:
    """Return what resamples a stream, block by block.

    It holds sound back: up to 40 milliseconds of it in "HQ", 22 in "LQ".
    """
    if from_rate == to_rate:
        return lambda block: block
    import soxr

    stream = soxr.ResampleStream(from_rate, to_rate, 1, dtype="int16", quality=quality)
    return lambda block: np.asarray(stream.resample_chunk(block), np.int16)


def fade(pcm: Pcm, in_seconds: float = 0.0, out_seconds: float = 0.0) -> Pcm:
    """Return the sound with straight ramps at its ends."""
    gain = np.ones(len(pcm))
    rise = min(round(in_seconds * pcm.rate), len(pcm))
    fall = min(round(out_seconds * pcm.rate), len(pcm))
    gain[:rise] *= np.arange(rise) / max(rise, 1)
    gain[len(pcm) - fall :] *= np.arange(fall, 0, -1) / max(fall, 1) - 1 / max(fall, 1)
    return Pcm(to_int16(from_int16(pcm.samples) * gain), pcm.rate)


def trim_silence(pcm: Pcm, onset: float = 0.02, end: float = 0.003) -> Pcm:
    """Return the sound from its audible onset to its audible end.

    `onset` and `end` are levels relative to the loudest sample: the first returned sample is the
    first at or above `onset`, so a word that starts on a beat is heard on the beat.
    """
    level = np.abs(pcm.samples.astype(np.int32))
    peak = int(level.max(initial=0))
    if peak == 0:
        return Pcm(pcm.samples[:0], pcm.rate)
    first = int(np.argmax(level >= max(1, onset * peak)))
    last = len(level) - int(np.argmax(level[::-1] >= max(1, end * peak)))
    return Pcm(pcm.samples[first : max(last, first + 1)], pcm.rate)


def lift_onset(
    pcm: Pcm, floor: float = 0.2, most: float = 6.0, longest_seconds: float = 0.12
) -> Pcm:
    """Return the word with its weak first sound ("f", "th") raised, so that its beat is heard.

    `floor` is the wanted level of the first sound relative to the loudest sample and `most` the
    largest gain. Nothing after `longest_seconds`, or after the word is once loud enough, changes.
    """
    signal = from_int16(pcm.samples)
    size = np.abs(signal)
    peak = size.max(initial=0.0)
    window = max(1, round(0.008 * pcm.rate))
    if peak == 0 or len(signal) < 2 * window:
        return pcm
    # A view of which only max is taken: abs of it would copy each sample 353 times at 44.1 kHz.
    ahead = np.lib.stride_tricks.sliding_window_view(np.pad(size, (0, window - 1)), window)
    # Peak of the next 8 ms: it looks ahead, so a lifted "f" never runs into the vowel.
    level = ahead.max(axis=1) / peak
    gain = np.clip(floor / np.maximum(level, 1e-9), 1.0, most)
    loud = np.flatnonzero(level >= floor)
    stop = min(int(loud[0]) if len(loud) else len(gain), round(longest_seconds * pcm.rate))
    gain[stop:] = 1.0
    smooth = np.convolve(np.pad(gain, (window, window), mode="edge"), np.ones(window) / window)
    return Pcm(to_int16(signal * np.minimum(gain, smooth[window : window + len(gain)])), pcm.rate)
