"""Every routine as a tagged sound file, for a watch or phone without Charley.

What a file says is known before it is rendered: two positions with the same words are one file, and
a file whose words, voice and settings are as they were is not rendered again.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.atomic_file import write_whole
from assistant.audio.audio_file import FORMATS, SUBTYPES
from assistant.audio.pcm import Pcm, blocks
from assistant.content.language_pack import LanguagePack
from assistant.content.prompts import fill
from assistant.dialogue.actions import Action
from assistant.dialogue.state import CoachingOptions, DialogueState
from assistant.errors import AudioFileError
from assistant.exports import routine_audio
from assistant.exports.routine_audio import Wish

ARTIST = "Charley"
PLAYLIST = "Charley.m3u8"
COVER = "README.txt"
_VERSION = 1
"""Part of every mark: raise it when all files must be written again."""
_MARK = "charley:"
"""Stands in a file's comment before the mark of what it was made from."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of the pack."""

    wish: Wish
    positions: tuple[str, ...]
    """Every position that the same words are for."""
    script: tuple[Action, ...]
    """What it says."""
    track: int
    """Number among the files of its routine, from 1."""
    side: str
    """The side as spoken; empty if no word names one."""
    language: LanguagePack
    """The words of its title and tags."""

    @property
    def name(self) -> str:
        """The file's name without its extension."""
        parts = (self.wish.routine.id, self.wish.side, *self.positions)
        return "-".join(part.replace("_", "-") for part in parts if part)

    @property
    def title(self) -> str:
        """What a player shows; the muscle comes first because players sort by title."""
        words = [self.language.prompts.positions[name] for name in self.positions]
        parts = (self._muscle, self.side, f" {self.language.prompts.titles['or']} ".join(words))
        title = ", ".join(part for part in parts if part)
        return title[0].upper() + title[1:]

    @property
    def album(self) -> str:
        """Its routine's name."""
        return fill(self.language.prompts.titles["album"], {"name": self._muscle})

    @property
    def _muscle(self) -> str:
        """The muscle as spoken; for a stitch, which is in no muscle, the routine's id."""
        routine = self.wish.routine
        return routine.name if routine.opposite else routine.id


def pieces(
    language: LanguagePack, coaching: CoachingOptions, start: DialogueState | None = None
) -> tuple[Piece, ...]:
    """Return every file of the pack, routine by routine."""
    return tuple(
        piece
        for name in language.routines
        for piece in _of_routine(language, name, coaching, start)
    )


def _of_routine(
    language: LanguagePack, name: str, coaching: CoachingOptions, start: DialogueState | None
) -> Iterator[Piece]:
    routine = language.routines[name]
    same: dict[tuple[Action, ...], list[tuple[str, str]]] = {}
    for side in ("",) if routine.both else ("left", "right"):
        for position in routine_audio.positions(routine):
            wish = Wish(routine, side, position)
            said = routine_audio.script(language, wish, coaching, start=start)
            same.setdefault(said, []).append((side, position))
    for track, (said, served) in enumerate(same.items(), 1):
        sides = {side for side, _ in served}
        positions = tuple(dict.fromkeys(position for _, position in served))
        # Words that name neither side serve both.
        side = sides.pop() if len(sides) == 1 else ""
        spoken = language.prompts.sides.get(side, "")
        wish = Wish(routine, side, positions[0])
        yield Piece(wish, positions, said, track, spoken, language)


# --- Files ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Written:
    """One file of the pack, on disk."""

    piece: Piece
    path: Path
    seconds: float
    is_new: bool
    """False if it was up to date already."""


def write(
    folder: Path,
    wanted: Iterable[Piece],
    ending: str,
    made_with: str,
    speak: Callable[[Piece], Pcm],
) -> Iterator[Written]:
    """Write the pieces that are not up to date, then the playlist.

    `made_with` names everything besides the words that decides the sound. AudioFileError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from None
    done = []
    for piece in wanted:
        path = folder / f"{piece.name}{ending}"
        mark = _mark(piece, made_with)
        seconds = _seconds_if_marked(path, mark)
        is_new = seconds is None
        if seconds is None:
            sound = speak(piece)
            seconds = sound.seconds
            _put(path, _encoded(sound, piece, ending, mark))
        done.append(Written(piece, path, seconds, is_new))
        yield done[-1]
    _put(folder / PLAYLIST, playlist(done).encode())


def cover(folder: Path, files: Sequence[Written], rounds: int, language: LanguagePack) -> None:
    """Write the text that explains the folder. AudioFileError."""
    example = next((file for file in files if file.piece.wish.routine.id == "calf"), files[0])
    text = language.ui_text(
        "pack.cover",
        count=len(files),
        rounds=rounds,
        note=language.prompts.line("about.safety").text,
        example=example.path.name,
        title=example.piece.title,
        playlist=PLAYLIST,
    )
    _put(folder / COVER, f"{text}\n".encode())


def playlist(files: Iterable[Written]) -> str:
    """Return a playlist of all files, for players that do not show albums."""
    lines = ["#EXTM3U"]
    for file in files:
        lines += [f"#EXTINF:{round(file.seconds)},{ARTIST} - {file.piece.title}", file.path.name]
    return "\n".join([*lines, ""])


def _mark(piece: Piece, made_with: str) -> str:
    """Return a hash of everything that decides the file's content."""
    whole = repr((_VERSION, made_with, piece.script, piece.title, piece.album, piece.track))
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _seconds_if_marked(path: Path, mark: str) -> float | None:
    """Return the length of a file that carries the mark; None if it must be written."""
    import soundfile

    if not path.is_file():
        return None
    try:
        with soundfile.SoundFile(path) as file:
            is_same = file.comment.endswith(f"{_MARK}{mark}")
            return file.frames / file.samplerate if is_same else None
    except (soundfile.SoundFileError, RuntimeError):
        return None  # damaged, or not a sound file


def _encoded(sound: Pcm, piece: Piece, ending: str, mark: str) -> bytes:
    """Return the file's bytes; libsndfile writes each format's tags."""
    import soundfile

    kind, buffer = FORMATS[ending], io.BytesIO()
    with soundfile.SoundFile(
        buffer, "w", sound.rate, channels=1, format=kind, subtype=SUBTYPES[kind]
    ) as file:
        file.title, file.artist, file.album = piece.title, ARTIST, piece.album
        file.tracknumber, file.genre = str(piece.track), "Speech"
        file.comment = f"{piece.language.ui_text('pack.comment')} {_MARK}{mark}"
        # In blocks: libsndfile's Vorbis encoder overflows its stack on one very long write.
        for block in blocks(sound, sound.rate * 10):
            file.write(block.samples)
    return buffer.getvalue()


def _put(path: Path, data: bytes) -> None:
    try:
        write_whole(path, data)
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> AudioFileError:
    return AudioFileError(f"{path}: cannot be written ({error.strerror or error}).")
