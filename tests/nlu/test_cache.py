"""Templates come from the cache as they were, or are compiled again; no file there does harm."""

import hashlib
import io
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import IntentDataError
from assistant.nlu.cache import CLASSES, CachedIntents
from assistant.nlu.intents import Intents, load
from assistant.nlu.matcher import Match, Matcher
from tests.support.languages import language

LANGUAGE = """\
language: en
precedence: [greet]
asides: ["i think"]
"""
GREET = """\
language: en
intents:
  greet:
    data:
      - sentences: ["hello [there] {name}", "<morning> to you", "hi"]
lists:
  name:
    values: ["(ann|bob)", {in: "old friend", out: friend, metadata: {known: "yes"}}]
expansion_rules:
  morning: "good (morning|day)"
"""
IDLE: frozenset[str] = frozenset()


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("intents") / "xx" / "sentences"
    folder.mkdir(parents=True)
    (folder / "language.yaml").write_text(LANGUAGE, "utf-8")
    (folder / "greet.yaml").write_text(GREET, "utf-8")
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, sentences: Path) -> Path:
    """Return a cache that knows them, with the phrases of one context."""
    folder = tmp_path_factory.mktemp("cache")
    kept = CachedIntents(sentences, folder)
    kept.intents.phrases(IDLE)
    kept.save()
    return folder


@pytest.fixture
def compiling(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Note each time that the templates are compiled."""
    compiled: list[Path] = []

    def noted(folder: Path) -> Intents:
        compiled.append(folder)
        return load(folder)

    monkeypatch.setattr("assistant.nlu.intents.load", noted)
    return compiled


def test_whether_templates_are_new_is_known(sentences: Path, tmp_path: Path) -> None:
    first = CachedIntents(sentences, tmp_path)
    first.save()
    assert (first.is_new, CachedIntents(sentences, tmp_path).is_new) == (True, False)


def test_cached_templates_are_the_same(sentences: Path, cache: Path, compiling: list[Path]) -> None:
    kept, fresh = CachedIntents(sentences, cache).intents, load(sentences)
    assert not compiling
    assert kept == fresh
    assert kept.sampled == 1
    assert kept.phrases(IDLE) == fresh.phrases(IDLE)
    assert kept.phrases(None) == fresh.phrases(None)  # was not sampled before
    found = Matcher(kept).match("hello there old friend")
    assert isinstance(found, Match)
    assert dict(found.slots) == {"name": "friend", "known": "yes"}


def test_what_has_changed_since_is_compiled(
    sentences: Path, cache: Path, compiling: list[Path], tmp_path: Path
) -> None:
    other = tmp_path / "xx" / "sentences"
    other.mkdir(parents=True)
    for file in sentences.iterdir():
        (other / file.name).write_text(file.read_text("utf-8").replace('"hi"', '"hey"'), "utf-8")
    phrases = CachedIntents(other, cache).intents.phrases()
    assert compiling == [other]
    assert "hey" in phrases
    assert "hi" not in phrases


def test_a_mistake_is_reported_each_time(tmp_path: Path) -> None:
    (tmp_path / "language.yaml").write_text(LANGUAGE, "utf-8")
    (tmp_path / "greet.yaml").write_text(GREET.replace("{name}", "{nam}"), "utf-8")
    for _ in range(2):
        with pytest.raises(IntentDataError, match=r"greet\.yaml, line 5: unknown list"):
            CachedIntents(tmp_path, tmp_path / "cache")


@given(data=st.data())
def test_a_damaged_file_is_not_read(sentences: Path, cache: Path, data: st.DataObject) -> None:
    whole = (cache / "xx.pickle").read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    damage = data.draw(st.binary(max_size=3).filter(lambda b: b != whole[at : at + 1]))
    broken = cache / "broken"
    broken.mkdir(exist_ok=True)
    (broken / "xx.pickle").write_bytes(whole[:at] + damage + whole[at + 1 :])
    assert CachedIntents(sentences, broken).intents == load(sentences)


def test_the_classes_that_may_be_read_are_those_of_the_templates() -> None:
    found: dict[str, set[str]] = {}

    class Noting(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> object:
            found.setdefault(module, set()).add(name)
            return super().find_class(module, name)

    Noting(io.BytesIO(pickle.dumps(language("en").intents, protocol=5))).load()
    assert found == CLASSES


class Evil:
    """What runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch was-run",)


def test_nothing_is_run(
    sentences: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = (cache / "xx.pickle").read_bytes()[:32]
    body = pickle.dumps(Evil())
    (tmp_path / "xx.pickle").write_bytes(key + hashlib.sha256(body).digest() + body)
    monkeypatch.chdir(tmp_path)
    assert CachedIntents(sentences, tmp_path).intents == load(sentences)
    assert not (tmp_path / "was-run").exists()


def test_a_cache_that_cannot_be_written_does_no_harm(sentences: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", "utf-8")
    kept = CachedIntents(sentences, tmp_path / "file")
    kept.save()
    assert kept.intents == load(sentences)
