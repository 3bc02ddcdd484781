"""A pack holds every routine in every position once, tagged, and is only written where it must."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from assistant.audio import audio_file
from assistant.audio.pcm import Pcm
from assistant.content import language_pack
from assistant.dialogue.actions import Count, Say
from assistant.dialogue.state import CoachingOptions
from assistant.errors import AudioFileError
from assistant.exports import audio_pack, routine_audio
from assistant.exports.audio_pack import Piece
from assistant.exports.routine_audio import Wish
from assistant.playback.timeline import Timeline
from tests.support.stage import ENGLISH, PACK

COACHING = CoachingOptions(rounds=1, hold_seconds=5)
PIECES = audio_pack.pieces(PACK, COACHING)


def beep(piece: Piece) -> Pcm:
    """Return a tone instead of speech, another for each file."""
    return Pcm(np.full(2000 + 10 * piece.track, 5000, np.int16), 22050)


def written(
    folder: Path, made_with: str = "beep", ending: str = ".flac"
) -> list[audio_pack.Written]:
    return list(audio_pack.write(folder, PIECES[:3], ending, made_with, beep))


# --- What is in it -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PACK.routines)
def test_every_position_and_side_is_in_exactly_one_file(name: str) -> None:
    routine = PACK.routines[name]
    mine = [piece for piece in PIECES if piece.wish.routine is routine]
    for side in ("",) if routine.both else ("left", "right"):
        for position in routine_audio.positions(routine):
            fits = [p for p in mine if p.wish.side in (side, "") and position in p.positions]
            assert len(fits) == 1


def test_files_differ_in_name_and_title_and_words() -> None:
    assert len({piece.name for piece in PIECES}) == len(PIECES)
    assert len({piece.title for piece in PIECES}) == len(PIECES)
    assert len({piece.script for piece in PIECES}) == len(PIECES)


def test_a_side_that_no_word_names_makes_no_file_of_its_own() -> None:
    names = [piece.name for piece in PIECES]
    assert "stitch-standing" in names
    assert "calf-left-standing" in names
    assert not [name for name in names if name.startswith("stitch-left")]


def test_titles_and_albums_are_for_people() -> None:
    titles = {piece.name: (piece.title, piece.album) for piece in PIECES}
    assert titles["calf-left-standing"] == ("Calf, left, standing", "Cramp: calf")
    assert titles["calf-right-helper"] == ("Calf, right, with a helper", "Cramp: calf")
    assert titles["both-calves-standing"] == ("Calves, standing", "Cramp: calves")
    assert titles["stitch-standing"] == ("Stitch, standing", "Cramp: stitch")


def test_titles_are_in_the_language_of_the_words() -> None:
    german = language_pack.load(ENGLISH.parent / "de")
    titles = {(piece.title, piece.album) for piece in audio_pack.pieces(german, COACHING)}
    assert ("Die Wade, linke, im Stehen", "Krampf: die Wade") in titles


def test_tracks_count_from_one_in_each_album() -> None:
    for album in {piece.album for piece in PIECES}:
        tracks = [piece.track for piece in PIECES if piece.album == album]
        assert tracks == list(range(1, len(tracks) + 1))


@pytest.mark.parametrize("position", ["standing", "bed", "helper"])
def test_the_script_is_what_the_file_says(position: str) -> None:
    class Beep:
        def render(self, text: str, pace: float = 1.0) -> Pcm:
            return Pcm(np.full(round(50 * len(text) / pace), 9000, np.int16), 22050)

    wish = Wish(PACK.routines["calf"], "left", position)
    timeline = Timeline(Beep())
    routine_audio.render(PACK, wish, COACHING, timeline)
    script = routine_audio.script(PACK, wish, COACHING)
    said = [begun.text for begun in timeline.take_begun() if not begun.counted]
    assert said == [action.text for action in script if isinstance(action, Say)]
    assert sum(isinstance(action, Count) for action in script) == COACHING.rounds


# --- On disk -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", audio_file.FORMATS)
def test_every_format_carries_its_tags_and_every_sample(tmp_path: Path, ending: str) -> None:
    for file in written(tmp_path, ending=ending):
        with soundfile.SoundFile(file.path) as sound:
            assert sound.title == file.piece.title
            assert sound.artist == "Charley"
            assert sound.album == file.piece.album
            assert int(sound.tracknumber) == file.piece.track
            assert sound.frames == len(beep(file.piece))


def test_what_is_up_to_date_stays(tmp_path: Path) -> None:
    assert [file.is_new for file in written(tmp_path)] == [True] * 3
    assert [file.is_new for file in written(tmp_path)] == [False] * 3
    assert [file.seconds for file in written(tmp_path)] == [beep(p).seconds for p in PIECES[:3]]


def test_another_voice_or_another_word_is_written_again(tmp_path: Path) -> None:
    written(tmp_path)
    assert all(file.is_new for file in written(tmp_path, "another voice"))
    changed = replace(PIECES[0], script=(Say("new", "New words."),))
    again = audio_pack.write(tmp_path, [changed, PIECES[1]], ".flac", "another voice", beep)
    assert [file.is_new for file in again] == [True, False]


@pytest.mark.parametrize("rubbish", [b"", b"no sound"])
def test_a_damaged_file_is_written_again(tmp_path: Path, rubbish: bytes) -> None:
    first = written(tmp_path)[0].path
    whole = first.read_bytes()
    first.write_bytes(rubbish)
    assert [file.is_new for file in written(tmp_path)] == [True, False, False]
    assert first.read_bytes() == whole


def test_a_pack_that_was_broken_off_goes_on(tmp_path: Path) -> None:
    next(audio_pack.write(tmp_path, PIECES[:3], ".flac", "beep", beep))
    assert [file.is_new for file in written(tmp_path)] == [False, True, True]


def test_the_playlist_names_files_that_are_there(tmp_path: Path) -> None:
    written(tmp_path)
    lines = (tmp_path / audio_pack.PLAYLIST).read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#EXTM3U"
    assert lines[1] == f"#EXTINF:0,Charley - {PIECES[0].title}"
    assert all((tmp_path / name).is_file() for name in lines[2::2])


def test_a_folder_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AudioFileError, match=r"file: cannot be written \(.+\)\."):
        written(tmp_path / "file")
