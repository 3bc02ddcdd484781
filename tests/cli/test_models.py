"""`charley models`, as people and programs use it."""

from pathlib import Path

import pytest

from tests.support import tone_model
from tests.support.commands import Charley


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a real speech model; its words are tones."""
    return tone_model.write_model(tmp_path_factory.mktemp("model") / "tones")


class TestModels:
    """`charley models`."""

    def test_the_known_models_are_listed(self, charley: Charley) -> None:
        done = charley("models", "list")
        assert done.code == 0
        assert done.lines[0] == "charley-small-en"
        assert "vosk-model-small-en-us-0.15" in done.lines

    def test_a_model_has_a_path(self, charley: Charley, tones: Path) -> None:
        assert charley("models", "path", str(tones)).out == f"{tones}\n"

    @pytest.mark.parametrize("args", [("path", "nowhere"), ("get", "nowhere"), ("get", "../x")])
    def test_an_unknown_model_is_one_sentence(
        self, charley: Charley, args: tuple[str, ...]
    ) -> None:
        charley("models", *args).complains()

    def test_a_model_is_fetched_from_a_file(
        self, charley: Charley, tones: Path, tmp_path: Path
    ) -> None:
        import shutil

        archive = shutil.make_archive(str(tmp_path / "tones"), "zip", tones.parent, "tones")
        done = charley("models", "get", "tones", "--url", archive)
        assert done.code == 0, done.err
        assert (Path(done.out.strip()) / "am/final.mdl").is_file()
        assert "tones" in charley("models", "list").out
