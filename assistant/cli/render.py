"""`charley render` and `say`: routines and texts as sound files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli import options
from assistant.cli.output import tell
from assistant.clock import SystemClock
from assistant.content.ui_text import minutes_seconds

if TYPE_CHECKING:
    from assistant.audio.pcm import Pcm
    from assistant.content.language_pack import LanguagePack
    from assistant.playback.timeline import Timeline
    from assistant.settings import Settings
    from assistant.tts.synthesiser import Synthesiser

app = typer.Typer()

_SLOW_SECONDS = 1.0
"""Work that takes longer shows a progress bar."""

OutFile = Annotated[
    Path,
    typer.Option("--out", metavar="FILE", show_default=False, help=".wav, .mp3, .ogg or .flac"),
]


@app.command(epilog="Example: charley render calf --side left --rounds 2 --out calf.mp3")
def render(
    ctx: typer.Context,
    routine: Annotated[
        str, typer.Argument(metavar="ROUTINE", help="A muscle, or both_calves.", show_default=False)
    ] = "",
    *,
    out: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            show_default=False,
            help=".wav, .mp3, .ogg or .flac; with --all a folder.",
        ),
    ],
    position: Annotated[
        str, typer.Option(help="standing, sitting, chair, lying, bed or helper.")
    ] = "",
    side: Annotated[str, typer.Option(help="left, right or both.")] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Every routine, position and side, into a folder.")
    ] = False,
    kind: Annotated[
        str, typer.Option("--format", help="With --all: mp3, ogg, flac or wav.")
    ] = "mp3",
) -> None:
    """Write a routine as a sound file.

    For a phone or a watch. It holds --rounds times (3) and then eases back into the run. It cannot
    hear: stop it when the cramp is gone.
    """
    from assistant.errors import RoutineError

    settings = options.chosen(ctx)
    if everything and (routine or position or side):
        raise RoutineError("--all is every routine; leave out the others.")
    if everything:
        _render_all(settings, out, kind)
    elif routine:
        _render_one(settings, routine, side, position, out)
    else:
        raise RoutineError("Name a routine, such as calf, or give --all.")


def _render_one(settings: Settings, routine: str, side: str, position: str, out: Path) -> None:
    from assistant.audio import audio_file
    from assistant.exports import routine_audio
    from assistant.session import factory

    _check_out(out)
    pack = factory.pack(settings)
    wish = routine_audio.wish(pack, routine, side, position)
    with _bar(f"Speaking {wish.routine.name}") as progress:
        sound = routine_audio.render(
            pack,
            wish,
            factory.coaching_options(settings),
            _timeline(pack, settings),
            start=factory.initial_state(settings),
            progress=progress,
        )
        audio_file.write(out, sound)
    rounds = "1 round" if settings.rounds == 1 else f"{settings.rounds} rounds"
    print(f"{out}: {wish.routine.name}, {rounds}, {minutes_seconds(sound.seconds)}")


def _render_all(settings: Settings, folder: Path, kind: str) -> None:
    """Write the whole pack; files that are up to date are kept."""
    from assistant.exports import audio_pack, routine_audio
    from assistant.session import factory, voices

    ending = _ending(kind)
    pack = factory.pack(settings)
    coaching, start = factory.coaching_options(settings), factory.initial_state(settings)
    voice = voices.voice(pack, settings, tell, in_real_time=False)
    wanted = audio_pack.pieces(pack, coaching, start)
    done: list[audio_pack.Written] = []
    made_with = repr((voice.name, coaching, start, settings.volume, settings.lead_in_seconds))
    with _bar(f"Speaking {len(wanted)} files") as progress:

        def speak(piece: audio_pack.Piece) -> Pcm:
            return routine_audio.render(
                pack,
                piece.wish,
                coaching,
                _timeline(pack, settings, voice),
                start=start,
                progress=lambda share: progress((len(done) + share) / len(wanted)),
            )

        for file in audio_pack.write(folder, wanted, ending, made_with, speak):
            done.append(file)
            progress(len(done) / len(wanted))
    audio_pack.cover(folder, done, settings.rounds, pack)
    fresh = sum(file.is_new for file in done)
    size = sum(file.path.stat().st_size for file in done) / 1e6
    seconds = sum(file.seconds for file in done)
    print(
        f"{folder}: {len(done)} files, {minutes_seconds(seconds)} min, {size:.0f} MB; "
        f"{fresh} written, {len(done) - fresh} up to date"
    )


def _ending(kind: str) -> str:
    from assistant.audio.audio_file import FORMATS
    from assistant.errors import AudioFileError

    ending = f".{kind.lower().removeprefix('.')}"
    if ending not in FORMATS:
        known = ", ".join(name[1:] for name in FORMATS)
        raise AudioFileError(f'There is no format "{kind[:40]}"; there are {known}.')
    return ending


@app.command(epilog="Example: charley say 'Toes up.' --out toes.wav")
def say(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", show_default=False)],
    *,
    out: OutFile,
) -> None:
    """Speak a text into a sound file."""
    from assistant.audio import audio_file
    from assistant.exports import routine_audio
    from assistant.session import factory

    settings = options.chosen(ctx)
    _check_out(out)
    sound = routine_audio.speech(text, _timeline(factory.pack(settings), settings))
    audio_file.write(out, sound)
    print(f"{out}: {sound.seconds:.1f} s")


def _check_out(out: Path) -> None:
    """Check that the file can be written, before any work. AudioFileError."""
    from assistant.audio.audio_file import FORMATS
    from assistant.errors import AudioFileError

    if out.suffix.lower() not in FORMATS:
        raise AudioFileError(f"{out}: the name must end in {', '.join(FORMATS)}.")
    if not out.parent.is_dir():
        raise AudioFileError(f"{out}: there is no folder {out.parent}.")


def _timeline(pack: LanguagePack, settings: Settings, voice: Synthesiser | None = None) -> Timeline:
    from assistant.session import factory

    timeline = factory.timeline(pack, settings, tell, voice=voice, in_real_time=False)
    timeline.read(timeline.rate // 10)  # the volume's ramp is over before the sound begins
    timeline.take_begun()
    return timeline


@contextmanager
def _bar(description: str) -> Iterator[Callable[[float], None]]:
    """Yield a function for the share done, 0 to 1; slow work on a terminal shows a bar."""
    began, shown = SystemClock(), list[Any]()

    def progress(share: float) -> None:
        if not shown and sys.stderr.isatty() and began.now() > _SLOW_SECONDS:
            from rich.console import Console
            from rich.progress import Progress

            shown.append(Progress(console=Console(stderr=True), transient=True))
            shown[0].start()
            shown[0].add_task(description, total=1.0)
        if shown:
            shown[0].update(shown[0].task_ids[0], completed=share)

    try:
        yield progress
    finally:
        if shown:
            shown[0].stop()
