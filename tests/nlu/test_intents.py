"""The sentence files load, feed the recogniser, and say where a mistake is."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hassil.expression import Alternative, Expression, Group, Permutation, TextChunk
from hassil.parse_expression import parse_sentence
from hassil.parser import ParseError

from assistant.content.yaml_source import read
from assistant.errors import IntentDataError
from assistant.nlu.expressions import is_plain, parse, tree
from assistant.nlu.intents import Intents, load
from assistant.nlu.matcher import Match, Matcher
from assistant.nlu.normalise import surface
from assistant.nlu.templates import ASIDE, GUARD
from tests.support import ROOT

SENTENCES = ROOT / "intents/en/sentences"
IDLE: frozenset[str] = frozenset()
SESSION = frozenset({"session", "recent"})
ASKED = frozenset({"session", "recent", "asked"})

LANGUAGE = """\
language: en
precedence: [greet, part]
asides: ["i think"]
guards:
  negation: ["not"]
"""

GREET = """\
language: en
intents:
  greet:
    data:
      - sentences:
          - "hello [there] {name}"
          - "<morning> to you"
  part:
    data:
      - sentences: ["goodbye"]
        requires_context: {session: true}
lists:
  name:
    values:
      - "(ann|bob)"
      - {in: "old friend", out: friend, metadata: {known: "yes"}}
expansion_rules:
  morning: "good (morning|day)"
"""


PART = '["goodbye"]\n        requires_context: {session: true}'


@pytest.fixture(scope="module")
def intents() -> Intents:
    return load(SENTENCES)


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a small language and returns its folder."""

    def write(greet: str = GREET, language: str = LANGUAGE) -> Path:
        (tmp_path / "language.yaml").write_text(language, "utf-8")
        (tmp_path / "greet.yaml").write_text(greet, "utf-8")
        return tmp_path

    return write


# --- a small language ---


def test_a_small_language_loads_and_matches(folder: Callable[..., Path]) -> None:
    matcher = Matcher(load(folder()))
    found = matcher.match("Hello there, old friend!")
    assert isinstance(found, Match)
    assert (found.intent, dict(found.slots)) == ("greet", {"name": "friend", "known": "yes"})


def test_phrases_hold_every_option_but_not_their_product(folder: Callable[..., Path]) -> None:
    phrases = load(folder()).phrases()
    words = {word for phrase in phrases for word in phrase.split()}
    assert (
        " ".join(sorted(words)) == "ann bob day friend good goodbye hello morning old there to you"
    )
    assert len(phrases) < 8


def test_a_context_limits_the_phrases(folder: Callable[..., Path]) -> None:
    loaded = load(folder())
    assert "goodbye" not in loaded.phrases(IDLE)
    assert "goodbye" in loaded.phrases(SESSION)
    assert "goodbye" in loaded.phrases(None)


@pytest.mark.parametrize(
    ("old", "new", "line", "expected"),
    [
        ("sentences: [", "sentance: [", 10, "unknown key “sentance”; expected one of"),
        ("lists:", "list:", 12, "unknown key “list”; expected one of"),
        ("{name}", "{nam}", 6, "unknown list “nam”, expected “name”"),
        ("<morning> to", "<mornin> to", 7, "unknown expansion rule “mornin”, expected “morning”"),
        ("hello [there]", "hello [there", 6, "cannot read the sentence “hello [there {name}”"),
        ('"goodbye"', '""', 10, "has no words"),
        (PART, '["<morning> to you"]', 10, "means part here but greet in greet.yaml, line 7"),
        ("data:", "dat:", 4, "unknown key “dat”; expected one of data"),
        ("good (morning|day)", "good<morning>", 18, "joins parts of words"),
        ("good (morning|day)", "good <morning>", 18, "“morning” refers to itself"),
        ("good (morning|day)", "good {mornin}", 18, "unknown list “mornin”, and nothing"),
        ("out: friend", "uot: friend", 16, "unknown key “uot”; expected one of"),
        ("out: friend, ", "", 16, "the key “out” is missing"),
        ("lists:", "lists:\n  name: {values: [ann]}", 14, "the key “name” is there twice"),
        ('["goodbye"]', "goodbye", 10, "expected a list"),
        ("{session: true}", "[session]", 11, "expected a mapping"),
        ("language: en", "language: [en", 2, "check quotes, colons and indents"),
        ("{session: true}", "{session: true}\n        metadata: {cutoff: 101}", 12, "0 to 100"),
        ("{session: true}", "{session: true}\n        metadata: {exact: ja}", 12, "true or false"),
    ],
)
def test_a_mistake_is_reported_with_file_and_line(
    folder: Callable[..., Path], old: str, new: str, line: int, expected: str
) -> None:
    assert old in GREET
    with pytest.raises(IntentDataError) as error:
        load(folder(GREET.replace(old, new, 1)))
    message = str(error.value)
    assert message.startswith(f"{folder() / 'greet.yaml'}, line {line}: ")
    assert expected in message
    assert "\n" not in message


def test_an_intent_that_the_order_lacks_is_reported(folder: Callable[..., Path]) -> None:
    with pytest.raises(IntentDataError, match="“part” has sentences but is not in “precedence”"):
        load(folder(language=LANGUAGE.replace(", part", "")))


def test_a_typo_in_the_language_file_is_reported(folder: Callable[..., Path]) -> None:
    with pytest.raises(IntentDataError, match=r"language.yaml, line 3: .*asides"):
        load(folder(language=LANGUAGE.replace("asides", "aside")))


def test_an_empty_file_is_reported(folder: Callable[..., Path]) -> None:
    with pytest.raises(IntentDataError, match=r"greet.yaml, line 1: the file is empty"):
        load(folder(""))


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(IntentDataError, match=r"language.yaml is missing"):
        load(tmp_path / "nowhere")


# --- what is set aside from hassil's parser, to be quick ---


def shape(expression: Expression) -> tuple[object, ...]:
    """Return a tree without the places where hassil cuts a text into chunks."""
    if isinstance(expression, TextChunk):
        return (expression.original_text,) if expression.original_text else ()
    if isinstance(expression, (Alternative, Permutation)):
        kind = type(expression).__name__ + str(getattr(expression, "is_optional", ""))
        return ((kind, *(shape(item) for item in expression.items)),)
    if not isinstance(expression, Group):
        return (repr(expression),)
    parts: list[object] = []
    for part in (part for item in expression.items for part in shape(item)):
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    return tuple(parts)


def test_every_template_has_the_tree_that_hassil_makes(intents: Intents) -> None:
    texts = [t.text for t in intents.templates if not is_plain(t.text)]
    assert len(texts) > 500
    for text in texts:
        assert shape(tree(text)) == shape(parse_sentence(text).expression)


@pytest.mark.parametrize("text", ["(a||b) c", "(a|) c", "a [] b", "(a] b", "(a|b", "<a|b>"])
def test_hassil_reports_what_is_odd(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text('"x"', "utf-8")
    node = read(tmp_path / "x.yaml")
    try:
        expected = shape(parse_sentence(text).expression)
    except (ParseError, AssertionError):
        with pytest.raises(IntentDataError, match="cannot read the sentence"):
            parse(text, node)
    else:
        assert shape(parse(text, node)) == expected


# --- the real language ---


def test_every_word_can_be_heard(intents: Intents) -> None:
    """Each word of each value and template is in some phrase."""
    heard = set(intents.words())
    for name, values in intents.lists.items():
        for value in values:
            missing = set(surface(value.text).split()) - heard
            assert not missing, f"{name}: {missing}"


def test_the_phrases_are_few_short_and_always_the_same(intents: Intents) -> None:
    phrases = intents.phrases(ASKED)
    assert len(phrases) < 6_000
    assert max(len(phrase.split()) for phrase in phrases) <= 22
    assert phrases is intents.phrases(ASKED)
    assert len(set(phrases)) == len(phrases)


def test_what_is_said_most_is_heard_word_by_word(intents: Intents) -> None:
    pairs = {pair for phrase in intents.phrases(IDLE) for pair in pairwise(phrase.split())}
    for muscle in ("calf", "hamstring", "hammy", "quad", "thigh", "foot", "shin", "glute", "hip"):
        assert {("my", f"{muscle}'s"), (f"{muscle}'s", "cramping"), ("my", muscle)} <= pairs
        assert {("left", muscle), ("right", muscle), (muscle, "cramp")} <= pairs
    assert {("calves", "are"), ("toes", "have"), ("are", "cramping")} <= pairs
    assert not [word for pair in pairs for word in pair if word.endswith("s's")]


def test_more_context_never_takes_words_away(intents: Intents) -> None:
    def words(context: frozenset[str] | None) -> set[str]:
        return {word for phrase in intents.phrases(context) for word in phrase.split()}

    assert words(IDLE) <= words(SESSION) <= words(ASKED) <= words(None)


def test_neighbours_of_plain_sentences_are_all_there(intents: Intents) -> None:
    phrases = intents.phrases()
    pairs = {pair for phrase in phrases for pair in pairwise(["", *phrase.split(), ""])}
    for template in intents.blocks():
        if is_plain(template.text):
            assert set(pairwise(["", *surface(template.text).split(), ""])) <= pairs


def test_stop_pain_and_red_flags_cut_speech(intents: Intents) -> None:
    cutting = {b.block.intent for b in intents.blocks() if b.block.barge_in}
    assert cutting >= {"control_stop", "control_pause", "worse", "redflag_chest_breathing"}
    assert not cutting & {"yes", "no", "control_next"}


def test_phrases_can_be_had_for_some_intents_alone(intents: Intents) -> None:
    phrases = intents.phrases(SESSION, frozenset({"control_stop"}))
    assert {"stop", "stop stop"} <= set(phrases)
    assert not any("calf" in phrase for phrase in phrases)


def test_stop_and_pause_are_exact_and_only_stop_works_when_idle(intents: Intents) -> None:
    for template in intents.blocks():
        block = template.block
        if block.intent in ("control_stop", "control_pause"):
            assert block.exact, template
        if block.intent.startswith("control_") and block.intent != "control_stop":
            assert "session" in block.requires, template


def test_red_flags_need_no_conversation(intents: Intents) -> None:
    free = {t.block.intent for t in intents.blocks(IDLE)}
    flags = {t.block.intent for t in intents.blocks() if t.block.intent.startswith("redflag_")}
    assert len(flags) == 12
    assert flags <= free


def test_blocks_are_what_people_say_not_what_is_said_around_it(intents: Intents) -> None:
    assert not {ASIDE, GUARD} & {t.block.intent for t in intents.blocks()}
