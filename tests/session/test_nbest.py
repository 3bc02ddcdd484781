"""Of all that an utterance may have been, the likeliest words that make sense are taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.asr.hypothesis import Alternative, Hypothesis, Word
from assistant.nlu.result import Match, NoMatch
from assistant.session.nbest import early, likeliest

WHOLE = {"the right one", "stop", "my calf is cramping", "still there"}
HALF = {"the right", "my calf", "leg stop"}
"""Words of which half is understood."""


TALK = "he said that the calf of my neighbour was red"
"""Words of which a tenth is understood."""


def understand(text: str) -> Match | NoMatch:
    """Return what a small language makes of words."""
    scores = {
        TALK: 10.0,
        "i heard a pop": 87.0,
        "i heard it": 87.0,
        **dict.fromkeys(HALF, 50.0),
        **dict.fromkeys(WHOLE, 100.0),
    }
    if text not in scores:
        return NoMatch(text, "no sentence has these words")
    return Match(text, "redflag_pop" if "pop" in text else "some", {}, scores[text], 0.0, text)


def heard(*found: tuple[float, str]) -> Hypothesis:
    alternatives = (
        Alternative(tuple(Word(word, 0.0, 0.1) for word in text.split()), behind)
        for behind, text in found
    )
    return Hypothesis.ended(tuple(alternatives), 1.0)


def said(*found: tuple[float, str], idle: bool = False, over_voice: bool = False) -> str:
    text, meaning = likeliest(heard(*found), understand, is_idle=idle, is_over_voice=over_voice)
    if isinstance(meaning, Match):
        assert meaning == understand(text)  # it was matched once, and handed on
    return text


def test_what_makes_sense_close_behind_is_what_was_said() -> None:
    assert said((0.0, "the right on"), (0.5, "right on"), (2.2, "the right one")) == "the right one"


def test_what_makes_sense_is_taken_as_it_was_heard() -> None:
    assert said((0.0, "stop"), (0.1, "still there")) == "stop"


def test_the_likelier_of_two_that_make_sense_is_taken() -> None:
    found = (0.0, "the right on"), (1.0, "still there"), (1.2, "the right one")
    assert said(*found) == "still there"


def test_what_is_far_behind_was_not_said() -> None:
    assert said((0.0, "the bright one"), (4.0, "the right one")) == "the bright one"


def test_a_long_sentence_may_be_further_behind_than_a_short_one() -> None:
    assert said((0.0, "tops"), (2.0, "stop")) == "tops"
    assert said((0.0, "might calf is"), (2.0, "my calf is cramping")) == "my calf is cramping"


def test_less_is_taken_for_an_utterance_while_nothing_runs() -> None:
    found = (0.0, "the calf of cramping"), (2.5, "my calf is cramping")
    assert said(*found) == "my calf is cramping"
    assert said(*found, idle=True) == "the calf of cramping"


def test_a_part_that_makes_sense_yields_to_a_whole_one_and_never_the_other_way() -> None:
    assert said((0.0, "my calf"), (4.0, "my calf is cramping")) == "my calf is cramping"
    assert said((0.0, "the bright"), (0.1, "the right")) == "the bright"


def test_of_a_red_flag_the_sign_is_enough() -> None:
    assert said((0.0, "i heard up off"), (0.5, "i heard a pop")) == "i heard a pop"
    assert said((0.0, "i heard a pop"), (0.5, "stop")) == "i heard a pop"
    assert said((0.0, "i heard up off"), (0.5, "i heard it")) == "i heard up off"


def test_over_charleys_own_voice_only_a_red_flag_is_looked_for() -> None:
    assert said((0.0, "the right on"), (0.1, "the right one"), over_voice=True) == "the right on"
    assert said((0.0, "i heard a top"), (0.5, "i heard a pop"), over_voice=True) == "i heard a pop"


def test_unknown_words_at_the_ends_are_breath_but_not_while_nothing_runs() -> None:
    assert said((0.0, "[unk] stop [unk]")) == "stop"
    assert said((0.0, "[unk] stop"), idle=True) == "[unk] stop"
    assert said((0.0, "[unk]"), idle=True) == "[unk]"


def test_a_whole_sentence_may_be_further_behind_unknown_words() -> None:
    found = (0.0, "[unk]"), (3.5, "my calf is cramping")
    assert said(*found, idle=True) == "my calf is cramping"


def test_long_talk_of_which_a_little_makes_sense_is_not_for_charley() -> None:
    assert said((0.0, TALK)) == "[unk]"


@pytest.mark.parametrize("idle", [False, True])
@given(
    found=st.lists(
        st.tuples(st.floats(0.0, 9.0), st.sampled_from(["stop", "tops", "my calf", "[unk] stop"])),
        min_size=1,
        max_size=40,
    )
)
def test_one_of_the_alternatives_is_taken(found: list[tuple[float, str]], idle: bool) -> None:
    ranked = sorted(found)
    words = {text for _, text in ranked} | {"stop"}
    assert said(*ranked, idle=idle) in words


@pytest.mark.parametrize("stable", ["stop", "[unk] stop", "[unk] stop [unk]", "i heard a pop"])
def test_what_makes_sense_already_is_early(stable: str) -> None:
    """A runner pants before a word."""
    found = early(stable, understand)
    assert found is not None
    assert found.text == stable.replace("[unk]", "").strip()


@pytest.mark.parametrize("stable", ["leg stop", TALK, "[unk]", ""])
def test_what_does_not_stand_alone_waits_for_the_whole(stable: str) -> None:
    """Somebody reads aloud, and a sign is among the words."""
    assert early(stable, understand) is None
