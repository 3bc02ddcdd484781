"""Mono 16-bit sound in memory, and audio files as its edge."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assistant.atomic_file import write_whole
from assistant.errors import AudioFileError

Samples = npt.NDArray[np.int16]

DEFAULT_RATE = 22050
"""Hertz of what Charley says, where the sound card takes it; espeak-ng speaks at it."""
FULL_SCALE = 32767
LONGEST_SECONDS = 2 * 60 * 60
"""A longer file is refused: read whole, it would fill the memory."""

FORMATS = {".wav": "WAV", ".mp3": "MP3", ".ogg": "OGG", ".flac": "FLAC"}
SUBTYPES = {"WAV": "PCM_16", "MP3": "MPEG_LAYER_III", "OGG": "VORBIS", "FLAC": "PCM_16"}
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


@dataclass(frozen=True, slots=True, eq=False)
class Pcm:
    """Mono sound; equal to another if rate and every sample are."""

    samples: Samples
    """int16, one channel."""
    rate: int
    """Hertz."""

    def __post_init__(self) -> None:
        if self.samples.dtype != np.int16 or self.samples.ndim != 1:
            raise TypeError("Pcm takes a flat int16 array")

    def __len__(self) -> int:
        return len(self.samples)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pcm):
            return NotImplemented
        return self.rate == other.rate and bool(np.array_equal(self.samples, other.samples))

    __hash__ = None  # type: ignore[assignment]

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate


def silence(samples: int, rate: int) -> Pcm:
    """Return so many samples of nothing."""
    return Pcm(np.zeros(samples, np.int16), rate)


def concatenate(parts: list[Pcm]) -> Pcm:
    """Return the parts, one after the other; all must have one rate."""
    rates = {part.rate for part in parts}
    if len(rates) != 1:
        raise ValueError(f"parts of one rate are needed, not {sorted(rates)}")
    return Pcm(np.concatenate([part.samples for part in parts]), rates.pop())


def to_int16(signal: npt.NDArray[np.floating]) -> Samples:
    """Return a signal of -1 to 1 as int16, rounded and saturated; not-a-number becomes 0."""
    clean = np.nan_to_num(signal, nan=0.0, posinf=1.0, neginf=-1.0)
    samples: Samples = np.rint(np.clip(clean, -1.0, 1.0) * FULL_SCALE).astype(np.int16)
    return samples


def from_int16(samples: Samples) -> npt.NDArray[np.float64]:
    """Return int16 samples as -1 to 1."""
    return samples.astype(np.float64) / FULL_SCALE


# --- Files ---------------------------------------------------------------------------------------


def read_wav(path: Path | str) -> Pcm:
    """Read an audio file of any rate, channels (mixed to one) and sample width.

    WAV, FLAC, OGG and MP3 are known. Raises AudioFileError, naming the file, when it is missing,
    empty, cut short, too long or not audio.
    """
    path = Path(path)
    data = _bytes_of(path)
    _refuse_cut_wav(path, data)
    return _decode(path, data)


def _bytes_of(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise AudioFileError(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise AudioFileError(f"{path}: this is a folder, not an audio file.") from None
    except OSError as error:
        raise AudioFileError(f"{path}: cannot be read ({error.strerror}).") from None
    if not data:
        raise AudioFileError(f"{path}: the file is empty.")
    return data


def _decode(path: Path, data: bytes) -> Pcm:
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            rate = file.samplerate
            if file.frames > LONGEST_SECONDS * rate:
                raise AudioFileError(f"{path}: longer than two hours, which is too long to read.")
            signal = file.read(dtype="float64", always_2d=True)
    except (soundfile.SoundFileError, RuntimeError, ValueError):
        raise AudioFileError(
            f"{path}: not an audio file that Charley can read (WAV, FLAC, OGG or MP3)."
        ) from None
    if not len(signal):
        raise AudioFileError(f"{path}: the file holds no sound.")
    return Pcm(_mono(signal), rate)


def _mono(signal: npt.NDArray[np.float64]) -> Samples:
    # libsndfile scales int16 by 1/32768; undo exactly that, so 16-bit mono survives bit for bit.
    mixed = np.nan_to_num(signal).mean(axis=1) * (FULL_SCALE + 1)
    samples: Samples = np.clip(np.rint(mixed), -FULL_SCALE - 1, FULL_SCALE).astype(np.int16)
    return samples


def _refuse_cut_wav(path: Path, data: bytes) -> None:
    """Raise if a RIFF file's data chunk promises more than is there; libsndfile would not say."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"data":
            # Streams that were piped carry 0xffffffff or 0x7fffffff for "until the end".
            if size < 0x7FFFF000 and at + 8 + size > len(data):
                raise AudioFileError(f"{path}: the file is cut short; record or copy it again.")
            return
        at += 8 + size + size % 2
    raise AudioFileError(f"{path}: the file is cut short; record or copy it again.")


def write(path: Path | str, pcm: Pcm) -> None:
    """Write .wav (sample exact), .flac, .ogg or .mp3, whole or not at all.

    Raises AudioFileError for another ending, a missing folder or a full disk.
    """
    path = Path(path)
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise AudioFileError(f"{path}: the name must end in {', '.join(FORMATS)}.")
    encoded = _encode(pcm, kind)
    try:
        write_whole(path, encoded)
    except OSError as error:
        raise AudioFileError(f"{path}: cannot be written ({error.strerror}).") from None


def _encode(pcm: Pcm, kind: str) -> bytes:
    import soundfile

    if kind == "MP3" and pcm.rate not in MP3_RATES:
        pcm = resample(pcm, min((r for r in MP3_RATES if r > pcm.rate), default=48000))
    buffer = io.BytesIO()
    with soundfile.SoundFile(
        buffer, "w", pcm.rate, channels=1, format=kind, subtype=SUBTYPES[kind]
    ) as file:
        # In pieces: libsndfile's Vorbis encoder overflows its stack on one very long write.
        for block in blocks(pcm, pcm.rate * 10):
            file.write(block.samples)
    return buffer.getvalue()


# --- Shaping -------------------------------------------------------------------------------------


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


def blocks(pcm: Pcm, block_samples: int) -> Iterator[Pcm]:
    """Yield the sound in blocks; the last one may be shorter."""
    for at in range(0, len(pcm), block_samples):
        yield Pcm(pcm.samples[at : at + block_samples], pcm.rate)


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
