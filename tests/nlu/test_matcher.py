"""What people say is understood, what is not for Charley is not, and stop stops only exactly."""

from collections.abc import Iterator

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.nlu.intents import Intents, load
from assistant.nlu.matcher import Match, Matcher, NoMatch
from assistant.nlu.normalise import normalise
from assistant.nlu.templates import ASIDE, GUARD, content_words
from tests.support import ROOT
from tests.support.examples import CHARACTERS, examples

FILES = ROOT / "tests/utterances/en"
EXPECTED = yaml.safe_load((FILES / "expected.yaml").read_text("utf-8"))
BREATHS: dict[str, str] = yaml.safe_load((FILES / "breaths.yaml").read_text("utf-8"))
IDLE: frozenset[str] = frozenset()
SESSION = frozenset({"session", "recent"})
ASKED = frozenset({"session", "recent", "asked"})

INTENTS = load(ROOT / "intents/en/sentences")
MATCHER = Matcher(INTENTS)


def lines(name: str) -> list[str]:
    """Return the utterances of a file."""
    return [line for line in (FILES / f"{name}.txt").read_text("utf-8").splitlines() if line]


def everything() -> Iterator[tuple[str, str]]:
    """Yield every utterance with the name of its file."""
    for path in sorted(FILES.glob("*.txt")):
        for line in lines(path.stem):
            yield path.stem, line


def meaning(text: str, context: frozenset[str] | None = None) -> tuple[str, dict[str, str]] | None:
    """Return intent and slots of a text, or None."""
    found = MATCHER.match(text, context)
    return (found.intent, dict(found.slots)) if isinstance(found, Match) else None


# --- the utterance files, both ways ---


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_line_means_what_its_file_says(name: str) -> None:
    for line in lines(name):
        found = meaning(line)
        assert found is not None, line
        assert found[0] == EXPECTED[name]["intent"], line
        assert EXPECTED[name]["slots"].items() <= found[1].items(), line


def test_negatives_start_nothing() -> None:
    """A false red flag is at most uncertain, which leads to one question."""
    for line in lines("negative"):
        found = meaning(line)
        assert found is None or (
            found[0].startswith("redflag_") and found[1].get("certain") == "no"
        ), (line, found)


def test_no_line_is_in_two_files() -> None:
    seen: dict[str, str] = {}
    for name, line in everything():
        assert seen.setdefault(line, name) == name, line


def test_every_file_has_its_meaning() -> None:
    assert {path.stem for path in FILES.glob("*.txt")} == {*EXPECTED, "negative"}


def test_every_template_is_used_by_some_line() -> None:
    language, used = INTENTS.language, set()
    for _, line in everything():
        words = content_words(normalise(line, language.spelling), language)
        used |= {segment.template for segment in MATCHER.segments(words)}
    unused = [
        f"{t.file}, line {t.line}: {t.text}"
        for index, t in enumerate(INTENTS.templates)
        if index not in used and t.block.intent not in (ASIDE, GUARD)
    ]
    assert unused == []


def test_what_the_recogniser_may_hear_is_understood() -> None:
    """Phrases sampled for the grammar are understood, but for a few odd products."""
    phrases = INTENTS.phrases()
    missed = [phrase for phrase in phrases if meaning(phrase) is None]
    assert len(missed) < len(phrases) / 100, missed


# --- several things in one breath ---


@pytest.mark.parametrize(
    ("text", "intent", "slots"),
    [
        ("Left calf's gone, I'm on the ground!", "cramp", "muscle=calf side=left position=lying"),
        (
            "ow ow okay um my left calf's just completely seized up and i'm sat on the kerb",
            "cramp",
            "muscle=calf side=left position=sitting",
        ),
        ("my right quad i'm lying down", "cramp", "muscle=quad side=right position=lying"),
        ("both calves, sitting on the grass", "cramp", "muscle=calf side=both position=sitting"),
        ("my calves are cramping", "cramp", "muscle=calf side=both"),
        ("inside of my left thigh's cramping", "cramp", "muscle=inner_thigh side=left"),
        ("cramp's in the left", "cramp", "side=left"),
        ("i'm in my chair", "cramp", "position=cant_stand seat=chair"),
        ("i'm in the car", "cramp", "position=sitting seat=chair"),
        ("my toes are sticking up", "cramp", "muscle=foot toes=up"),
        ("thigh cramp", "cramp", "muscle=quad"),
        ("charley horse", "cramp", ""),
        ("stitch on my left side", "stitch", "side=left"),
        ("my calf's gone again", "came_back", "muscle=calf"),
        ("now my shin's cramping instead", "worse", "muscle=shin"),
        ("still hurts my calf", "still_hurts", "muscle=calf"),
        ("ow my calf and my chest feels really tight", "redflag_chest_breathing", "muscle=calf"),
        ("i'm pregnant and my calf's cramping", "redflag_pregnant", "muscle=calf"),
        ("help my calf's cramping", "cramp", "muscle=calf"),
    ],
)
def test_one_breath_fills_several_slots(text: str, intent: str, slots: str) -> None:
    assert meaning(text) == (intent, dict(part.split("=") for part in slots.split()))


@pytest.mark.parametrize(("text", "slots"), BREATHS.items())
def test_a_tired_breath_is_a_cramp_with_its_slots(text: str, slots: str) -> None:
    found = meaning(text)
    assert found is not None
    assert found[0] == "cramp"
    assert dict(part.split("=") for part in slots.split()).items() <= found[1].items()


# --- the ambiguities of the domain notes ---


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("my calf's gone", "cramp"),
        ("it's gone", "relief_gone"),
        ("cramp's gone", "relief_gone"),
        ("it's gone again", "came_back"),
        ("i've done my hammy", "redflag_pop_tear"),
        ("my calf went bang", "redflag_pop_tear"),
        ("come again", "control_repeat"),
        ("again", "control_again"),
        ("back", "control_back"),
        ("it's back", "came_back"),
        ("stop a minute", "control_pause"),
        ("how do i stop it", "ask_what_do_i_do"),
        ("how do i stop it coming back", "ask_prevent"),
        ("i can't breathe", "redflag_chest_breathing"),
        ("let me catch my breath", "control_pause"),
        ("my mate's not making sense", "redflag_heat_confusion"),
        ("no chest pain", "no"),
        ("charley", "call"),
    ],
)
def test_ambiguous_words_are_decided(text: str, intent: str) -> None:
    found = meaning(text, SESSION)
    assert found is not None
    assert found[0] == intent


@pytest.mark.parametrize("text", ["period cramps", "my mate's cramping", "my calf is fine"])
def test_what_is_no_cramp_of_the_speaker_starts_nothing(text: str) -> None:
    assert meaning(text, IDLE) is None


@pytest.mark.parametrize("text", ["i don't feel dizzy", "my chest doesn't hurt", "no numbness"])
def test_a_denied_red_flag_is_none(text: str) -> None:
    found = meaning(text)
    assert found is None or not found[0].startswith("redflag_")


@pytest.mark.parametrize(
    "text",
    ["this hill will give me a heart attack", "i fainted last year", "nearly had a heart attack"],
)
def test_a_doubtful_red_flag_says_so(text: str) -> None:
    found = meaning(text)
    assert found is not None
    assert found[0].startswith("redflag_")
    assert found[1]["certain"] == "no"


# --- what a matcher built on subset scorers gets wrong (measured with rapidfuzz 3.14) ---


@pytest.mark.parametrize(
    "text", ["STOP!", "stop", "Stop.", "stop stop", "please stop", "stop now charley"]
)
def test_stop_is_heard_however_it_is_written(text: str) -> None:
    assert meaning(text, IDLE if text.lower().startswith("stop") else SESSION) is not None
    assert meaning(text) == ("control_stop", {})


@pytest.mark.parametrize(
    "text",
    [
        "please do not stop the hold",
        "don't stop",
        "stop the car",
        "the bus stop's over there",
        "it stopped raining",
        "the",
        "pause the film",
        "start the evening routine",
        "start the morning routine",
        "non stop music",
    ],
)
def test_parts_of_commands_are_no_commands(text: str) -> None:
    assert meaning(text) is None


@given(
    st.lists(
        st.sampled_from(["the", "car", "hold", "rain", "a", "bus", "watch", "shop", "it"]),
        min_size=1,
    )
)
def test_stop_with_any_other_noun_is_no_stop(rest: list[str]) -> None:
    found = meaning(" ".join(["stop", *rest, "watch"]))
    assert found is None or found[0] != "control_stop"


@pytest.mark.parametrize(
    ("text", "muscle"),
    [
        ("my hamstrng's crampng", "hamstring"),
        ("i've got crampp in my hamstringg", "hamstring"),
        ("my adducter's cramping", "inner_thigh"),
    ],
)
def test_typing_mistakes_are_forgiven(text: str, muscle: str) -> None:
    found = MATCHER.match(text)
    assert isinstance(found, Match)
    assert found.slots["muscle"] == muscle
    assert found.score < 100.0


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("my calf his cramping", "cramp"),
        ("both carves are cramping", "cramp"),
        ("it still hurt", "still_hurts"),
        ("it came back a gain", "came_back"),
        ("how long lift", "ask_time_left"),
        ("what do high do", None),
        ("turn it town", "control_quieter"),
        ("bring the volume town", "control_quieter"),
        ("say that a gain", "control_repeat"),
        ("can i stretch hit", "ask_why_not_stretch"),
        ("i'm lying town", "cramp"),
        ("stop hit", None),
        ("paws it", None),
        ("is that light", None),
        ("i feel busy", None),
        ("i'm freezing", None),
        ("tummy tuck", None),
        ("his calf is cramping", None),
    ],
)
def test_one_misheard_word_is_repaired_in_a_conversation(text: str, intent: str | None) -> None:
    found = MATCHER.match(text, SESSION)
    assert (found.intent if isinstance(found, Match) else None) == intent
    if isinstance(found, Match):
        assert found.score < 100.0
        assert not found.barge_in


@pytest.mark.parametrize("text", ["it still hurt", "turn it town", "i'm lying town", "calf lift"])
def test_a_misheard_word_starts_no_conversation(text: str) -> None:
    assert meaning(text, IDLE) is None
    assert meaning(text) is None


def test_a_misheard_word_next_to_a_muscle_and_its_complaint_starts_one() -> None:
    assert meaning("my left calf his cramping up", IDLE) == (
        "cramp",
        {"muscle": "calf", "side": "left"},
    )


def test_look_alikes_are_not_corrected_into_commands() -> None:
    for text in ("i'm cramming", "it was clamped", "stoop", "passing the shops", "nest please"):
        assert meaning(text, SESSION) is None, text


# --- contexts ---


@pytest.mark.parametrize(
    "text",
    ["next", "yes", "no", "right", "left", "okay", "again", "back", "what", "calf", "half", "ow"],
)
def test_bare_words_mean_nothing_when_idle(text: str) -> None:
    found = MATCHER.match(text, IDLE)
    assert isinstance(found, NoMatch)
    assert found.reason


@pytest.mark.parametrize(
    ("text", "session", "asked"),
    [
        ("left", None, ("cramp", {"side": "left"})),
        ("right", ("yes", {}), ("cramp", {"side": "right"})),
        ("half", None, ("cramp", {"muscle": "calf"})),
        ("left leg", ("cramp", {"side": "left"}), ("cramp", {"side": "left"})),
        ("my right", ("cramp", {"side": "right"}), ("cramp", {"side": "right"})),
        ("next", ("control_next", {}), ("control_next", {})),
    ],
)
def test_a_side_counts_only_where_it_was_asked(
    text: str, session: tuple[str, dict[str, str]] | None, asked: tuple[str, dict[str, str]]
) -> None:
    assert meaning(text, SESSION) == session
    assert meaning(text, ASKED) == asked


@pytest.mark.parametrize("name", [n for n in sorted(EXPECTED) if n.startswith("redflag_")])
def test_red_flags_are_heard_when_idle(name: str) -> None:
    heard = [meaning(line, IDLE) for line in lines(name)]
    known = [found for found in heard if found is not None and found[0] == name]
    assert len(known) >= 0.9 * len(heard)


# --- results that explain themselves ---


def test_a_match_shows_what_it_was_weighed_against() -> None:
    found = MATCHER.match("my calf's gone again")
    assert isinstance(found, Match)
    assert "{" in found.phrase or "<" in found.phrase
    assert {c.intent for c in found.rejected} >= {"cramp"}
    assert all(c.why for c in found.rejected)


def test_a_guard_is_named_by_its_words() -> None:
    found = MATCHER.match("i never get cramp")
    assert isinstance(found, NoMatch)
    assert "never" in found.reason


# --- any text at all ---

CONTEXTS = st.sampled_from([None, IDLE, SESSION, ASKED])
VOCABULARY = sorted({word for _, line in everything() for word in line.split()})
TALK = st.lists(st.sampled_from(VOCABULARY), max_size=12).map(" ".join)


@settings(max_examples=examples(100))
@given(st.one_of(st.text(CHARACTERS, max_size=80), TALK), CONTEXTS)
def test_any_text_has_a_sane_answer(text: str, context: frozenset[str] | None) -> None:
    found = MATCHER.match(text, context)
    assert found.text == text
    if isinstance(found, NoMatch):
        assert found.reason
    else:
        assert 0.0 <= found.margin <= found.score <= 100.0
    assert all(0.0 <= candidate.score <= 100.0 for candidate in found.rejected)


@settings(max_examples=examples(30))
@given(TALK, CONTEXTS)
def test_the_answer_does_not_depend_on_what_was_asked_before(
    text: str, context: frozenset[str] | None
) -> None:
    assert MATCHER.match(text, context) == FRESH.match(text, context)


@settings(max_examples=examples(100))
@given(TALK)
def test_what_is_understood_when_idle_is_never_lost_later(text: str) -> None:
    """A red flag stays one in every state, and nothing heard when idle turns to silence."""
    idle = meaning(text, IDLE)
    if idle is not None and idle[0].startswith("redflag_"):
        for context in (SESSION, ASKED, None):
            later = meaning(text, context)
            assert later is not None
            assert later[0].startswith("redflag_")


@settings(max_examples=examples(100))
@given(TALK)
def test_only_a_whole_utterance_stops(text: str) -> None:
    if meaning(f"{text} banana", None) is not None:
        assert meaning(f"{text} banana") != ("control_stop", {})


def test_a_hundred_kilobytes_are_read_like_their_beginning() -> None:
    assert MATCHER.match("my calf is cramping " * 5_000) is not None
    assert meaning("x" * 100_000) is None
    assert meaning("\x00\x07 stop \x1b") == ("control_stop", {})


def test_intents_are_typed_data() -> None:
    assert isinstance(INTENTS, Intents)


FRESH = Matcher(INTENTS)
"""A matcher without a memory of earlier utterances."""


def test_a_misheard_word_near_a_red_flag_is_a_question_not_a_warning() -> None:
    assert meaning("keep breathing", SESSION) is None
    assert meaning("keep wretching", SESSION) == ("redflag_vomit_all_over", {"certain": "no"})
