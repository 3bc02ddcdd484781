"""Check that each muscle and position is coached in a file, each count on its second.

    python -m bench.coaching.coverage [--format wav] [--rounds 1] [--cells calf,foot]

Each cell is rendered with the real voice, written, read back, and searched for its counts: the word
must lie in the file at a whole number of seconds after the first sample of its hold. In WAV and
FLAC it must be there sample for sample; in MP3 and Ogg, which change every sample, it is sought by
correlation; the last line of the table says how far off the worst one was.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.audio import audio_file, pcm
from assistant.audio.pcm import Pcm, Samples
from assistant.content import language_pack
from assistant.content.language_pack import LanguagePack
from assistant.content.routines import HELPER, POSITIONS, Routine
from assistant.dialogue.actions import SetVolume
from assistant.dialogue.state import CoachingOptions
from assistant.exports.routine_audio import Wish, positions, render, script
from assistant.paths import cache_folder, intents_folder
from assistant.playback.count_track import count_word
from assistant.playback.play_log import Begun
from assistant.playback.timeline import Timeline
from assistant.tts.cache import CachedVoice
from assistant.tts.pyttsx3_voice import Pyttsx3Voice

COLUMNS = (*POSITIONS, HELPER)
EXACT = ("wav", "flac")
REACH_SECONDS = 0.15
"""How far from its place a count is searched for; an encoder's padding is shorter."""
LEAST_CORRELATION = 0.9


@dataclass(frozen=True)
class Cell:
    """One muscle in one position."""

    text: str
    """What the table shows."""
    counts: int = 0
    worst_samples: int = 0
    """How far the worst count lies from its whole second."""


def main() -> None:
    """Fill and print the table; the exit code is 1 if a cell is empty without a reason."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--format", default="wav", choices=[name[1:] for name in audio_file.FORMATS]
    )
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--cells", default="", help="routines, separated by commas; default: all")
    options = parser.parse_args()
    words = language_pack.load(intents_folder())
    chosen = [name for name in options.cells.split(",") if name] or list(words.routines)
    coaching = CoachingOptions(rounds=options.rounds)
    voice = CachedVoice(Pyttsx3Voice(), cache_folder() / "speech")
    print("".join(f"{name:<18}" for name in ("", *COLUMNS)).rstrip())
    cells = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"cell.{options.format}"
        for name in chosen:
            row = [
                _cell(words, words.routines[name], position, coaching, voice, path)
                for position in COLUMNS
            ]
            print("".join(f"{text:<18}" for text in (name, *(c.text for c in row))).rstrip())
            cells += row
    raise SystemExit(_sum_up(cells, options.format))


def _sum_up(cells: list[Cell], kind: str) -> int:
    made = [cell for cell in cells if cell.counts]
    failed = sum("FAILED" in cell.text for cell in cells)
    print(
        f"\n{len(cells)} cells: {len(made)} heard in {kind}, {failed} failed, "
        f"{len(cells) - len(made) - failed} not made, with their reason.\n"
        f"{sum(cell.counts for cell in made)} counts; the worst is "
        f"{max((cell.worst_samples for cell in made), default=0)} samples "
        f"of {pcm.DEFAULT_RATE} a second off.\n"
        "~name: no version of its own; this is the nearest safe one, and the file says so.\n"
        "no helper: the text gives no version in which somebody else moves this muscle."
    )
    return int(bool(failed))


def _cell(  # noqa: PLR0917  # one cell is all of these
    words: LanguagePack,
    routine: Routine,
    position: str,
    coaching: CoachingOptions,
    voice: CachedVoice,
    path: Path,
) -> Cell:
    if position not in positions(routine):
        return Cell("no helper")
    timeline = Timeline(voice)
    side = "" if routine.both else "left"
    sound = render(words, Wish(routine, side, position), coaching, timeline)
    begun = [each for each in timeline.take_begun() if each.counted]
    audio_file.write(path, sound)
    heard = audio_file.read(path)
    version = routine.version(position)
    length = f"{int(sound.seconds) // 60}:{int(sound.seconds) % 60:02}"
    mark = "" if position in version.serves else f" ~{version.name}"
    volume = _volume(words, Wish(routine, side, position), coaching)
    found = list(_offsets(words, begun, heard, voice, volume, is_exact=path.suffix[1:] in EXACT))
    counts = version.hold_seconds or coaching.hold_seconds
    if None in found or len(found) != coaching.rounds * counts:
        return Cell(f"{length}{mark} FAILED")
    worst = max(abs(offset) for offset in found if offset is not None)
    return Cell(f"{length}{mark}", len(found), worst)


def _volume(words: LanguagePack, wish: Wish, coaching: CoachingOptions) -> float:
    """Return how loud the file is; in bed Charley speaks low."""
    actions = script(words, wish, coaching)
    return next((a.volume for a in actions if isinstance(a, SetVolume)), 1.0)


def _offsets(  # one file serves all of these
    words: LanguagePack,
    begun: list[Begun],
    heard: Pcm,
    voice: CachedVoice,
    volume: float,
    *,
    is_exact: bool,
) -> Iterator[int | None]:
    """Yield how many samples each count lies off its whole second; None if it is not there."""
    first, before = 0, 10**9
    for each in begun:
        number = words.prompts.numbers.index(each.text)
        if number < before:  # the next hold
            first = each.at_samples - (number * heard.rate)
        before = number
        at = first + number * heard.rate
        word = np.rint(count_word(each.text, voice, heard.rate, heard.rate) * volume)
        if is_exact:
            there = np.array_equal(heard.samples[at : at + len(word)], word)
            yield 0 if there else None
        else:
            yield _sought(heard, word, at)


def _sought(heard: Pcm, word: Samples, at: int) -> int | None:
    """Return how far from `at` the word lies, by correlation; None if nothing is like it."""
    reach = round(REACH_SECONDS * heard.rate)
    span = heard.samples[max(0, at - reach) : at + reach + len(word)].astype(np.float64)
    wanted = word.astype(np.float64)
    size = len(span) + len(wanted)  # by Fourier transform: a direct correlation takes minutes
    product = np.fft.rfft(span, size) * np.conj(np.fft.rfft(wanted, size))
    scores = np.fft.irfft(product, size)[: len(span) - len(wanted) + 1]
    sums = np.concatenate([[0.0], np.cumsum(span**2)])
    power = sums[len(wanted) :] - sums[: -len(wanted)]
    alike = scores / np.sqrt(np.maximum(power, 1.0) * np.sum(wanted**2))
    best = int(np.argmax(alike))
    return best - min(reach, at) if alike[best] >= LEAST_CORRELATION else None


if __name__ == "__main__":
    main()
