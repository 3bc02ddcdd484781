"""A model that learns words: which words files need, how they are said, and what is heard then."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.asr import openfst
from assistant.asr.hypothesis import RATE
from assistant.asr.openfst import Arc, Graph
from assistant.asr.vosk_recogniser import SpeechModel
from assistant.audio.pcm import concatenate, silence
from assistant.audio.shaping import resample
from assistant.errors import IntentDataError, ModelError
from assistant.nlu import intents
from assistant.paths import bundled_model_folder, intents_folder
from assistant.session import factory
from assistant.settings import Settings
from assistant.speech_models import extend, vocabulary
from assistant.speech_models.decoding_graph import LEXICON, WordGraph, read_words
from assistant.speech_models.lexicon import Lexicon, Origin
from assistant.speech_models.phones import PHONES, SILENCE
from assistant.tts.pyttsx3_voice import Pyttsx3Voice
from tests.support.commands import Charley
from tests.support.examples import CHARACTERS

PHONE_ROWS = st.lists(st.sampled_from([p for p in PHONES if p != SILENCE]), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon()


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


class TestVocabulary:
    """Which words files need, and where each first stands."""

    def test_text_is_a_sentence_a_line(self, tmp_path: Path) -> None:
        file = write(tmp_path / "a.txt", "# Timers\nSet a timer!\n\nset it\u2019s alarm # again\n")
        assert vocabulary.words([file]) == {
            "set": f"{file}, line 2",
            "a": f"{file}, line 2",
            "timer": f"{file}, line 2",
            "it's": f"{file}, line 4",
            "alarm": f"{file}, line 4",
        }

    def test_a_hyphened_word_is_there_whole_and_in_parts(self, tmp_path: Path) -> None:
        file = write(tmp_path / "a.txt", "sous-vide")
        assert list(vocabulary.words([file])) == ["sous", "vide", "sous-vide"]

    def test_templates_are_read_as_templates(self, tmp_path: Path) -> None:
        file = write(
            tmp_path / "timers.yaml",
            """
            intents:
              start:
                data:
                  - sentences: ["(set|start) [a] {food} timer", "<please> go"]
            lists:
              food:
                values:
                  - in: pasta
                    out: noodles
            expansion_rules:
              please: "kindly"
            """,
        )
        words = vocabulary.words([file])
        assert set(words) == {"set", "start", "a", "pasta", "timer", "kindly", "go"}

    def test_templates_may_share_lists_among_files(self, tmp_path: Path) -> None:
        write(tmp_path / "a.yaml", 'intents: {go: {data: [{sentences: ["go {place}"]}]}}')
        write(tmp_path / "b.yaml", "lists: {place: {values: [home]}}")
        assert set(vocabulary.words([tmp_path])) == {"go", "home"}

    def test_any_other_yaml_gives_its_texts(self, tmp_path: Path) -> None:
        file = write(tmp_path / "chess.yaml", "moves: [knight takes bishop]\nend: mate\n")
        words = vocabulary.words([file])
        assert list(words) == ["knight", "takes", "bishop", "mate"]
        assert words["mate"] == f"{file}, line 2"

    def test_a_language_gives_all_that_may_be_said(self) -> None:
        folder = intents_folder("en")
        said = intents.load(folder / "sentences").words()
        assert tuple(sorted(vocabulary.words([folder]))) == said

    @pytest.mark.parametrize(
        ("name", "text", "sentence"),
        [
            ("a.txt", "", r"a\.txt: there are no sentences"),
            ("a.txt", "go\n\n?!\n", r"a\.txt, line 3: “\?!” has no letters"),
            ("a.txt", "go\nset 5 minutes\n", r"a\.txt, line 2: write the number 5 in words"),
            ("a.yaml", "- go\n- 12\n", r"a\.yaml, line 2: write the number 12 in words"),
            ("a.yaml", "", r"a\.yaml, line 1: the file is empty"),
            ("a.yaml", "a: [b\n", r"a\.yaml, line 2: .*check quotes"),
            ("a.yaml", 'intents: {go: {data: [{sentences: ["{x}"]}]}}', r"a\.yaml, line 1: .*x"),
        ],
    )
    def test_a_mistake_is_reported_with_its_line(
        self, tmp_path: Path, name: str, text: str, sentence: str
    ) -> None:
        with pytest.raises(IntentDataError, match=sentence):
            vocabulary.words([write(tmp_path / name, text)])

    def test_what_cannot_be_read_is_reported(self, tmp_path: Path) -> None:
        with pytest.raises(IntentDataError, match=r"gone\.txt: cannot be read \(No such file"):
            vocabulary.words([tmp_path / "gone.txt"])
        (tmp_path / "a.txt").write_bytes(b"\xff\xfe\xfa")
        with pytest.raises(IntentDataError, match=r"a\.txt: is not UTF-8"):
            vocabulary.words([tmp_path / "a.txt"])
        (tmp_path / "empty").mkdir()
        with pytest.raises(IntentDataError, match=r"no \.txt or \.yaml"):
            vocabulary.words([tmp_path / "empty"])

    @given(st.text(CHARACTERS, max_size=60))
    def test_any_text_is_words_or_a_mistake(self, text: str) -> None:
        found: dict[str, str] = {}
        with suppress(IntentDataError):
            vocabulary._take_text(found, text, "here")
        assert all(word == word.lower() and " " not in word for word in found)


class TestLexicon:
    """How words are said."""

    @pytest.mark.parametrize(
        ("word", "phones", "origin"),
        [
            ("stop", "S T AA P", Origin.DICTIONARY),
            ("hammy", "HH AE M IY", Origin.DICTIONARY),
            ("hammy's", "HH AE M IY Z", Origin.PARTS),
            ("cant", "K AE N T", Origin.DICTIONARY),
            ("havent", "HH AE V AH N T", Origin.PARTS),
            ("heel-toe", "HH IY L T OW", Origin.PARTS),
            ("strava", "S T R AA V AH", Origin.GUESSED),
            ("zumba", "Z AH M B AH", Origin.GUESSED),
        ],
    )
    def test_it_is_known_made_or_guessed(
        self, lexicon: Lexicon, word: str, phones: str, origin: Origin
    ) -> None:
        spoken = lexicon.spoken(word)
        assert spoken.origin is origin
        assert tuple(phones.split()) in spoken.pronunciations

    def test_accents_are_given_too(self, lexicon: Lexicon) -> None:
        said = {" ".join(phones) for phones in lexicon.spoken("calf").pronunciations}
        assert said >= {"K AE F", "K AA F"}

    def test_your_file_counts_instead(self, tmp_path: Path) -> None:
        own = write(tmp_path / "own.dict", "# mine\nStrava S T R EY V AH # so\nstop S T UH P\n")
        lexicon = Lexicon(own)
        assert lexicon.spoken("strava").pronunciations == (("S", "T", "R", "EY", "V", "AH"),)
        assert lexicon.spoken("stop").origin is Origin.FILE

    @pytest.mark.parametrize(
        ("line", "sentence"),
        [
            ("zumba Z OO M", r"line 2: “OO” is no phone in “zumba”"),
            ("zumba", r"line 2: there are no phones in “zumba”"),
            ("zumba SIL", r"line 2: “SIL” is no phone"),
        ],
    )
    def test_a_mistake_in_it_is_reported(self, tmp_path: Path, line: str, sentence: str) -> None:
        with pytest.raises(ModelError, match=sentence):
            Lexicon(write(tmp_path / "own.dict", f"\n{line}\n"))

    @given(word=st.text(alphabet="abcdefghijklmnopqrstuvwxyz'-é", min_size=1, max_size=14))
    def test_any_letters_are_said_with_phones(self, lexicon: Lexicon, word: str) -> None:
        for phones in lexicon.spoken(word).pronunciations:
            assert set(phones) <= set(PHONES) - {SILENCE}

    def test_other_letters_are_not_guessed(self, lexicon: Lexicon) -> None:
        assert lexicon.spoken("привет").pronunciations == ()


class TestGraph:
    """Words as rows of phones."""

    @given(
        first=st.lists(PHONE_ROWS, min_size=1, max_size=8),
        later=st.lists(PHONE_ROWS, max_size=4),
    )
    def test_added_later_is_as_if_there_from_the_start(
        self,
        first: list[list[str]],
        later: list[list[str]],
        tmp_path_factory: pytest.TempPathFactory,
    ) -> None:
        folder = tmp_path_factory.mktemp("graph")
        at_once, in_turn = _blank(), _blank()
        for number, phones in enumerate([*first, *later], 1):
            at_once.add(number, tuple(phones))
        for number, phones in enumerate(first, 1):
            in_turn.add(number, tuple(phones))
        in_turn.write(folder / "half.fst")
        in_turn = WordGraph.read(folder / "half.fst")
        for number, phones in enumerate(later, len(first) + 1):
            in_turn.add(number, tuple(phones))
        at_once.write(folder / "once.fst")
        in_turn.write(folder / "turn.fst")
        assert (folder / "once.fst").read_bytes() == (folder / "turn.fst").read_bytes()

    def test_a_word_is_added_once(self) -> None:
        graph = _blank()
        for _ in range(2):
            graph.add(1, ("G", "OW"))
        assert len(graph.graph.states[1]) == 1

    def test_a_graph_of_another_kind_is_refused(self, tmp_path: Path) -> None:
        openfst.write(Graph([[Arc(1, 1, 0.0, 0)]], {0: 0.0}), tmp_path / "loop.fst")
        with pytest.raises(ValueError, match="end of words"):
            WordGraph.read(tmp_path / "loop.fst")

    def test_the_bundled_graph_is_written_as_it_was(self, tmp_path: Path) -> None:
        there = bundled_model_folder() / "graph" / LEXICON
        WordGraph.read(there).write(tmp_path / LEXICON)
        assert openfst.read(tmp_path / LEXICON) == openfst.read(there)


def _blank() -> WordGraph:
    """Return a graph of no words: start, the place before words, the place after them."""
    graph = Graph([[Arc(0, 0, 0.5, 1)], [], [Arc(0, 0, 0.5, 1)]], {1: 0.0})
    return WordGraph(graph, 1, 2, 0.25)


@pytest.fixture(scope="module")
def timers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model that was built from another domain's sentences."""
    folder = tmp_path_factory.mktemp("timers")
    sentences = write(folder / "timers.txt", "start the zorbix timer\ncancel the polenta timer")
    out = folder / "model"
    lexicon = Lexicon(write(folder / "own.dict", "polenta P OW L EH N T AH\n"))
    base = bundled_model_folder()
    extend.build(base, vocabulary.words([sentences]), lexicon, out, replace=False)
    return out


@pytest.mark.model
class TestModel:
    """The built model, in plain vosk."""

    @pytest.mark.parametrize("said", ["start the zorbix timer", "cancel the polenta timer"])
    def test_it_hears_its_new_words(self, timers: Path, said: str) -> None:
        import vosk

        grammar = ["start the zorbix timer", "cancel the polenta timer", "stop", "[unk]"]
        recogniser = vosk.KaldiRecognizer(vosk.Model(str(timers)), RATE, json.dumps(grammar))
        pad = silence(RATE // 2, RATE)
        spoken = resample(Pyttsx3Voice("en-us", 150).render(said), RATE)
        recogniser.AcceptWaveform(concatenate([pad, spoken, pad]).samples.tobytes())
        assert json.loads(recogniser.FinalResult())["text"] == said

    def test_it_knows_the_old_words_by_their_numbers(self, timers: Path) -> None:
        old = read_words(bundled_model_folder() / "graph/words.txt")
        assert read_words(timers / "graph/words.txt").items() >= old.items()

    def test_the_bundled_model_knows_all_that_may_be_said(self) -> None:
        model = SpeechModel(bundled_model_folder())
        said = intents.load(intents_folder("en") / "sentences").words()
        assert [word for word in said if not model.knows(word)] == []


class TestCommand:
    """`charley models build`."""

    def test_it_reports_what_is_new_and_how_to_use_it(
        self, charley: Charley, tmp_path: Path
    ) -> None:
        file = write(tmp_path / "a.txt", "stop the zumba\nfarfalle")
        out = tmp_path / "new"
        done = charley("models", "build", "--sentences", str(file), "--out", str(out))
        assert done.code == 0, done.err
        assert done.lines[0].startswith("zumba     Z AH M B AH")
        assert done.lines[0].endswith(f"(guessed from its letters; {file}, line 1)")
        assert done.lines[2].startswith("2 new words, ")
        assert "--pronunciations FILE" in done.lines[3]
        assert f'--model "{out}"' in done.lines[4]
        assert charley("models", "path", str(out)).out == f"{out}\n"

    def test_several_files_may_follow(self, charley: Charley, tmp_path: Path) -> None:
        files = [str(write(tmp_path / f"{word}.txt", word)) for word in ("zumba", "farfalle")]
        done = charley("models", "build", "--sentences", *files, "--out", str(tmp_path / "new"))
        assert done.lines[2].startswith("2 new words, ")

    def test_alone_it_makes_charleys_own_again_and_again(self, charley: Charley) -> None:
        for _ in range(2):
            done = charley("models", "build")
            assert done.code == 0, done.err
        assert charley("models", "path", "charley-own-en").code == 0

    def test_a_guess_is_corrected_by_a_file(self, charley: Charley, tmp_path: Path) -> None:
        file = write(tmp_path / "a.txt", "zumba")
        own = write(tmp_path / "own.dict", "zumba Z UH M B AH")
        flags = ("--out", str(tmp_path / "new"), "--pronunciations", str(own))
        done = charley("models", "build", "--sentences", str(file), *flags)
        assert done.lines[0] == f"zumba  Z UH M B AH  (your file; {file}, line 1)"
        assert "--pronunciations" not in done.out

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            (None, "a.txt: cannot be read (No such file or directory)."),
            ("", "a.txt: there are no sentences in this file; write one a line."),
            ("привет", "“привет” has letters that English does not"),
        ],
    )
    def test_a_mistake_is_one_sentence(
        self, charley: Charley, tmp_path: Path, text: str | None, sentence: str
    ) -> None:
        file = tmp_path / "a.txt"
        if text is not None:
            write(file, text)
        args = ("models", "build", "--sentences", str(file), "--out", str(tmp_path / "new"))
        assert sentence in charley(*args).complains()
        assert not (tmp_path / "new").exists()

    def test_a_folder_that_is_in_use_is_not_touched(self, charley: Charley, tmp_path: Path) -> None:
        file = write(tmp_path / "a.txt", "go")
        for out, sentence in (
            (tmp_path, "this folder is not empty; choose another with --out"),
            (file, "this is a file; choose a folder with --out"),
            (file / "new", "cannot be written"),
            (bundled_model_folder() / "new", "cannot lie inside"),
        ):
            done = charley("models", "build", "--sentences", str(file), "--out", str(out))
            assert sentence in done.complains()
        assert file.read_text() == "go"

    def test_another_kind_of_model_cannot_learn(self, charley: Charley, tmp_path: Path) -> None:
        other = tmp_path / "other"
        shutil.copytree(bundled_model_folder(), other)
        (other / "graph/phones.txt").unlink()
        done = charley("models", "build", "--model", str(other), "--out", str(tmp_path / "new"))
        assert "only a model of Charley's own kind can learn words" in done.complains()

    def test_another_language_is_refused(self, charley: Charley) -> None:
        assert 'does not speak "de"' in charley("models", "build", "--language", "de").complains()


@pytest.mark.model
@pytest.mark.parametrize("is_new", [True, False])
def test_words_that_are_never_heard_are_reported_once_after_a_change(*, is_new: bool) -> None:
    language = replace(factory.language(Settings()), is_new=is_new)
    model = SpeechModel(bundled_model_folder())
    told: list[str] = []
    factory.tell_unknown_words(model, language, told.append)
    assert told == []
    model._known["soleus"] = False
    factory.tell_unknown_words(model, language, told.append)
    assert [t.partition(";")[0] for t in told] == [
        "The speech model does not know “soleus”"
    ] * is_new
