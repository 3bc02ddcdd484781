"""Sound files, read and written: WAV, FLAC, OGG and MP3."""

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assistant.atomic_file import write_whole
from assistant.audio.pcm import FULL_SCALE, Pcm, Samples, blocks
from assistant.audio.shaping import resample
from assistant.errors import AudioFileError

LONGEST_SECONDS = 2 * 60 * 60
"""A longer file is refused: read whole, it would fill the memory."""
FORMATS = {".wav": "WAV", ".mp3": "MP3", ".ogg": "OGG", ".flac": "FLAC"}
SUBTYPES = {"WAV": "PCM_16", "MP3": "MPEG_LAYER_III", "OGG": "VORBIS", "FLAC": "PCM_16"}
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


def read(path: Path | str) -> Pcm:
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
    """Raise if a RIFF file's data chunk is longer than the file; libsndfile does not check."""
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
