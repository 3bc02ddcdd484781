"""Where the bundled data lies: in the source tree, or inside the installed wheel."""

from pathlib import Path

from assistant.errors import IntentDataError, ModelError

BUNDLED_MODEL = "charley-small-en"

_PACKAGE = Path(__file__).resolve().parent


def intents_folder(language: str = "en") -> Path:
    """Return the folder of a language's sentences, prompts and routines."""
    folder = _data() / "intents"
    found = folder / language
    if not found.is_dir():
        known = sorted(path.name for path in folder.glob("*/")) if folder.is_dir() else []
        raise IntentDataError(
            f'Charley does not speak "{language}": there is no folder {found}. '
            f"Choose one of: {', '.join(known) or 'none, so please install Charley again'}."
        )
    return found


def bundled_model_folder() -> Path:
    """Return the folder of the model that comes with Charley; it may be damaged or incomplete."""
    folder = _data() / "models" / BUNDLED_MODEL
    if not folder.is_dir():
        raise ModelError(
            f"Charley's own speech model is missing: there is no folder {folder}. "
            "Run `charley models get`, or install Charley again."
        )
    return folder


def models_file(name: str) -> Path:
    """Return a file beside the bundled model, such as the one of pronunciations."""
    return _data() / "models" / name


def _data() -> Path:
    """Return the folder that holds intents/ and models/."""
    installed = _PACKAGE / "_data"
    return installed if installed.is_dir() else _PACKAGE.parent
