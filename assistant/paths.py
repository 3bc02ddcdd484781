"""Where files are: the bundled data, and the user's settings, cache, models and state.

The bundled data lies in the source tree or inside the installed wheel.
"""

from pathlib import Path

import platformdirs

from assistant.errors import IntentDataError, ModelError

APP = "charley"
BUNDLED_MODEL = "charley-small-en"

_PACKAGE = Path(__file__).resolve().parent


def intents_folder(language: str = "en") -> Path:
    """Return the folder of a language's sentences, prompts and routines."""
    found = _data() / "intents" / language
    if language not in languages():  # nor is a path a language
        known = ", ".join(languages()) or "none, so please install Charley again"
        raise IntentDataError(
            f'Charley does not speak "{language}": there is no folder {found}. '
            f"Choose one of: {known}."
        )
    return found


def languages() -> tuple[str, ...]:
    """Return the codes of the languages that Charley speaks, such as "en" and "pt_BR"."""
    return tuple(sorted(path.name for path in (_data() / "intents").glob("*/") if path.is_dir()))


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


def settings_file() -> Path:
    """Return where the user's settings are read from; the file need not exist."""
    return platformdirs.user_config_path(APP, appauthor=False) / "settings.toml"


def cache_folder() -> Path:
    """Return where rendered speech is kept; anything there may be deleted at any time."""
    return platformdirs.user_cache_path(APP, appauthor=False)


def data_folder() -> Path:
    """Return where downloaded models are kept."""
    return platformdirs.user_data_path(APP, appauthor=False)


def state_folder() -> Path:
    """Return where Charley keeps what it remembers."""
    return platformdirs.user_state_path(APP, appauthor=False)
