"""Facts about a speech model's folder: what it must hold, checked before Vosk fails on it."""

from pathlib import Path

import pytest

from assistant.asr import vosk_files
from assistant.asr.openfst import head
from assistant.asr.vosk_recogniser import SpeechModel, VoskRecogniser
from assistant.errors import ModelError
from assistant.speech_models import catalogue
from tests.support import tone_model
from tests.support.tone_model import speak


def official(folder: Path, *, graph_flags: int = 2) -> Path:
    """Lay out the files of vosk-model-small-en-us-0.15, whose Gr.fst carries its words."""
    files = {
        "am/final.mdl": b"mdl",
        "conf/mfcc.conf": b"--sample-frequency=16000\n",
        "conf/model.conf": b"--endpoint.silence-phones=1:2:3:4:5:6:7:8:9:10\n",
        "graph/HCLr.fst": head("olabel_lookahead", 0, 75_000, 150_000),
        "graph/Gr.fst": head("ngram", graph_flags, 300_000, -1),
        "graph/disambig_tid.int": b"10015\n",
        "graph/phones/word_boundary.int": b"1 nonword\n",
        "ivector/final.ie": b"ie",
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_the_official_layout_needs_no_list_of_words(tmp_path: Path) -> None:
    folder = official(tmp_path)
    assert vosk_files.missing(folder) == []
    vosk_files.check(folder)
    assert catalogue.checked(folder) == folder


@pytest.mark.parametrize("flags", [0, 1, 4])
def test_a_graph_without_words_needs_a_list_of_them(tmp_path: Path, flags: int) -> None:
    folder = official(tmp_path, graph_flags=flags)
    assert vosk_files.missing(folder) == ["graph/words.txt"]
    for look in (vosk_files.check, catalogue.checked):
        with pytest.raises(ModelError, match=r"graph/words\.txt.* missing or empty"):
            look(folder)
    (folder / "graph/words.txt").write_text("<eps> 0\n")
    vosk_files.check(folder)
    assert catalogue.checked(folder) == folder


@pytest.mark.parametrize("name", [*vosk_files.NEEDED, "conf/mfcc.conf"])
def test_a_file_that_is_not_there_is_named_alike_by_both(tmp_path: Path, name: str) -> None:
    folder = official(tmp_path)
    (folder / name).unlink()
    assert name in vosk_files.missing(folder)[0]
    for look in (vosk_files.check, catalogue.checked):
        with pytest.raises(ModelError, match="missing or empty"):
            look(folder)


def test_vosk_hears_with_words_from_the_graph(tmp_path: Path) -> None:
    folder = tone_model.write_model(tmp_path / "tones", words_in_graph=True)
    recogniser = VoskRecogniser(SpeechModel(folder), ["low high"])
    heard = recogniser.feed(speak("- low high - - -").samples)
    assert [hypothesis.text for hypothesis in heard if hypothesis.final] == ["low high"]
