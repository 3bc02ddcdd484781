"""Sound files, read and written: WAV, FLAC, OGG and MP3."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import numpy.typing as npt

from assistant.atomic_file import write_whole
from assistant.audio.pcm import FULL_SCALE, Pcm, Samples, blocks
from assistant.audio.shaping import resample
from assistant.errors import AudioFileError
from assistant.regular_file import open_regular

if TYPE_CHECKING:
    import soundfile

LONGEST_SECONDS = 2 * 60 * 60
"""A longer file is refused: read whole, it would fill the memory."""
MOST_SAMPLES = LONGEST_SECONDS * 48_000
"""Frames times channels: as many as two hours have at 48 kHz, in mono."""
_BLOCK_SAMPLES = 1 << 20
"""Frames times channels that are decoded at once: 8 MB."""
FORMATS = {".wav": "WAV", ".mp3": "MP3", ".ogg": "OGG", ".flac": "FLAC"}
SUBTYPES = {"WAV": "PCM_16", "MP3": "MPEG_LAYER_III", "OGG": "VORBIS", "FLAC": "PCM_16"}
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


def read(path: Path | str) -> Pcm:
    """Read an audio file of any rate, channels (mixed to one) and sample width.

    WAV, FLAC, OGG and MP3 are known. Raises AudioFileError, naming the file, when it is missing,
    empty, cut short, too long, not audio or not a regular file.
    """
    path = Path(path)
    with _opened(path) as data:
        _refuse_cut_wav(path, data)
        return _decode(path, data)


def _opened(path: Path) -> BinaryIO:
    try:
        data = open_regular(path)
    except FileNotFoundError:
        raise AudioFileError(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise AudioFileError(f"{path}: this is a folder, not an audio file.") from None
    except OSError as error:
        raise AudioFileError(f"{path}: cannot be read ({error.strerror}).") from None
    except ValueError:  # a null character in the name
        raise AudioFileError(f"{path}: there is no such file.") from None
    if not os.fstat(data.fileno()).st_size:
        data.close()
        raise AudioFileError(f"{path}: the file is empty.")
    return data


def _decode(path: Path, data: BinaryIO) -> Pcm:
    import soundfile

    try:
        with soundfile.SoundFile(data) as file:
            _refuse_long(path, file)
            mono, rate = [*_blocks(file)], file.samplerate
    except (soundfile.SoundFileError, RuntimeError, ValueError):
        raise AudioFileError(
            f"{path}: not an audio file that Charley can read (WAV, FLAC, OGG or MP3)."
        ) from None
    if not mono:
        raise AudioFileError(f"{path}: the file holds no sound.")
    return Pcm(np.concatenate(mono), rate)


def _refuse_long(path: Path, file: "soundfile.SoundFile") -> None:
    """Raise if a file says of itself that it is longer than can be read."""
    if file.frames > LONGEST_SECONDS * file.samplerate:
        raise AudioFileError(f"{path}: longer than two hours, which is too long to read.")
    if file.frames * file.channels > MOST_SAMPLES:
        raise AudioFileError(
            f"{path}: {file.frames:,} samples in {file.channels} channels are too many to read; "
            "convert it to mono at 48 kHz or less."
        )


def _blocks(file: "soundfile.SoundFile") -> Iterator[Samples]:
    """Yield a file's sound, mixed to one channel, up to the length that it says it has."""
    left, most = file.frames, max(1, _BLOCK_SAMPLES // file.channels)
    while left > 0:
        signal = file.read(min(left, most), dtype="float64", always_2d=True)
        if not len(signal):
            return
        left -= len(signal)
        yield _mono(signal)


def _mono(signal: npt.NDArray[np.float64]) -> Samples:
    # libsndfile scales int16 by 1/32768; undo exactly that, so 16-bit mono survives bit for bit.
    mixed = np.nan_to_num(signal).mean(axis=1) * (FULL_SCALE + 1)
    samples: Samples = np.clip(np.rint(mixed), -FULL_SCALE - 1, FULL_SCALE).astype(np.int16)
    return samples


def _refuse_cut_wav(path: Path, data: BinaryIO) -> None:
    """Raise if a RIFF file's data chunk is longer than the file; libsndfile does not check."""
    whole, head = os.fstat(data.fileno()).st_size, data.read(12)
    at = 12
    try:
        if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
            return
        while at + 8 <= whole:
            data.seek(at)
            chunk = data.read(8)
            name, size = chunk[:4], int.from_bytes(chunk[4:], "little")
            if name == b"data":
                # Streams that were piped carry 0xffffffff or 0x7fffffff for "until the end".
                if size < 0x7FFFF000 and at + 8 + size > whole:
                    break
                return
            at += 8 + size + size % 2
    finally:
        data.seek(0)
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
