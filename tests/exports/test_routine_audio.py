"""A routine in a file counts exactly, asks nothing, and comes to its end in every version."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from assistant.audio import audio_file
from assistant.audio.pcm import Pcm
from assistant.content import language_pack
from assistant.content.prompts import fill
from assistant.content.routines import POSITIONS
from assistant.dialogue.hold import CountStyle
from assistant.dialogue.state import CoachingOptions
from assistant.errors import RoutineError
from assistant.exports.routine_audio import SIDES, Wish, render, speech, wish
from assistant.paths import intents_folder
from assistant.playback.count_track import count_word
from assistant.playback.play_log import Begun
from assistant.playback.timeline import Timeline
from assistant.tts.cache import CachedVoice
from assistant.tts.pyttsx3_voice import Pyttsx3Voice

PACK = language_pack.load(intents_folder())
ROUTINES = tuple(PACK.routines)
NOTE = PACK.prompts.line("about.safety").text
ASKED = {
    line.text for key, lines in PACK.prompts.lines.items() for line in lines if key[:6] == "check."
}


class Beep:
    """A voice without words, quick to render."""

    def render(self, text: str, pace: float = 1.0) -> Pcm:
        samples = np.full(round(100 * len(text) / pace), 9000, np.int16)
        return Pcm(samples, 22050)


@dataclass(frozen=True)
class Rendered:
    """A routine as it was rendered, with what began when."""

    sound: Pcm
    begun: tuple[Begun, ...]

    @property
    def said(self) -> list[str]:
        return [b.text for b in self.begun if not b.counted]

    @property
    def holds(self) -> list[list[int]]:
        """The first samples of the counts, hold by hold."""
        holds: list[list[int]] = []
        was_counted = False
        for begun in self.begun:
            if begun.counted and not was_counted:
                holds.append([])
            if begun.counted:
                holds[-1].append(begun.at_samples)
            was_counted = begun.counted
        return holds


def rendered(wanted: Wish, coaching: CoachingOptions | None = None) -> Rendered:
    timeline = Timeline(Beep())
    sound = render(PACK, wanted, coaching or CoachingOptions(rounds=2), timeline)
    return Rendered(sound, tuple(timeline.take_begun()))


@pytest.mark.parametrize("position", ["", *POSITIONS])
@pytest.mark.parametrize("name", ROUTINES)
def test_every_version_counts_exactly_and_ends(name: str, position: str) -> None:
    done = rendered(wish(PACK, name, position=position))
    assert len(done.holds) == 2
    for hold in done.holds:
        assert np.diff(hold).tolist() == [22050] * 9
    version = PACK.routines[name].version(position or "standing")
    for line in (version.cue, version.again, version.release):
        assert fill(line.text, {}) in done.said


@pytest.mark.parametrize("name", ROUTINES)
def test_a_file_asks_nothing_that_it_would_have_to_hear(name: str) -> None:
    said = rendered(wish(PACK, name)).said
    assert not ASKED & set(said)
    assert not [text for text in said if "say cramp" in text or "listening" in text]


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_the_safety_note_is_said_once_after_the_first_hold(rounds: int) -> None:
    done = rendered(wish(PACK, "calf"), CoachingOptions(rounds=rounds))
    assert len(done.holds) == rounds
    assert done.said.count(NOTE) == 1
    told = next(begun.at_samples for begun in done.begun if begun.text == NOTE)
    assert told > done.holds[0][-1]


def test_a_safety_question_gets_time_to_be_thought_about() -> None:
    done = rendered(wish(PACK, "abdominal"))
    question, following = done.begun[:2]
    assert question.text == PACK.red_flags.questions["belly"].line.text
    seconds = len(Beep().render(question.text)) / 22050
    assert (following.at_samples - question.at_samples) / 22050 > seconds + 2.9


def test_the_side_is_named() -> None:
    assert "Put your left leg" in " ".join(rendered(wish(PACK, "calf", "left")).said)
    assert "Put your leg" in " ".join(rendered(wish(PACK, "calf")).said)


def test_the_settings_hold() -> None:
    coaching = CoachingOptions(hold_seconds=5, count_style=CountStyle.DOWN, rounds=1)
    done = rendered(wish(PACK, "calf"), coaching)
    assert [b.text for b in done.begun if b.counted] == ["five", "four", "three", "two", "one"]


def test_progress_grows_to_the_end() -> None:
    shares: list[float] = []
    render(
        PACK,
        wish(PACK, "calf"),
        CoachingOptions(rounds=1),
        Timeline(Beep()),
        progress=shares.append,
    )
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.parametrize(
    ("name", "side", "routine"),
    [
        ("calf", "", "calf"),
        ("Calf", "Left", "calf"),
        ("both calves", "", "both_calves"),
        ("both-calves", "both", "both_calves"),
        ("calf", "both", "both_calves"),
        ("calves", "", "both_calves"),
        ("hamstring", "both", "both_hamstrings"),
        ("front of the hip", "", "hip_flexor"),
        ("hip flexor", "right", "hip_flexor"),
        ("quad", "both", "quad"),
        ("thigh", "", "quad"),
        ("foot", "", "foot"),
        ("toes", "", "toes_up"),
        ("hamstring", "left", "hamstring"),
    ],
)
def test_a_routine_is_found_by_its_names(name: str, side: str, routine: str) -> None:
    assert wish(PACK, name, side).routine.id == routine


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", ROUTINES)
def test_every_side_can_be_asked_for(name: str, side: str) -> None:
    if PACK.routines[name].both and side != "both":
        with pytest.raises(RoutineError, match="both sides"):
            wish(PACK, name, side)
    else:
        assert rendered(wish(PACK, name, side), CoachingOptions(rounds=1, hold_seconds=5)).holds


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("calv",), 'no routine "calv"; did you mean "calves"'),
        (("",), 'no routine ""; there are'),
        (("q" * 1000,), "there are"),
        (("calf", "lefft"), 'did you mean "left"'),
        (("calf", "", "upside down"), "there are bed, "),
    ],
)
def test_an_unknown_name_gets_the_nearest_as_a_hint(args: tuple[str, ...], message: str) -> None:
    with pytest.raises(RoutineError, match=message):
        wish(PACK, *args)


@pytest.fixture(scope="module")
def voice() -> CachedVoice:
    return CachedVoice(Pyttsx3Voice(), None)


class TestWithARealVoice:
    """The words themselves, in a written file."""

    def test_counts_stand_in_the_file_on_their_whole_seconds(
        self, voice: CachedVoice, tmp_path: Path
    ) -> None:
        timeline = Timeline(voice)
        sound = render(PACK, wish(PACK, "calf", "left"), CoachingOptions(rounds=3), timeline)
        holds = Rendered(sound, tuple(timeline.take_begun())).holds
        audio_file.write(tmp_path / "calf.wav", sound)
        written = audio_file.read(tmp_path / "calf.wav")
        assert len(holds) == 3
        for hold in holds:
            for number, at in enumerate(hold):
                assert at == hold[0] + number * written.rate
                name = PACK.prompts.numbers[number + 1]
                word = count_word(name, voice, written.rate, written.rate)
                assert np.array_equal(written.samples[at : at + len(word)], word)

    def test_a_line_begins_at_once_and_ends_with_its_word(self, voice: CachedVoice) -> None:
        spoken = speech("Toes up.", Timeline(voice))
        bare = voice.render("Toes up.")
        assert np.array_equal(spoken.samples[: len(bare)], bare.samples)
        assert len(spoken) - len(bare) < 0.02 * spoken.rate
