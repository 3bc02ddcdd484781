"""Which speech models there are, and which one to use."""

import re
from dataclasses import dataclass
from pathlib import Path

from assistant.asr.vosk_files import missing
from assistant.errors import ModelError
from assistant.paths import BUNDLED_MODEL, bundled_model_folder, data_folder


@dataclass(frozen=True, slots=True)
class Model:
    """A speech model that Charley knows of."""

    name: str
    """Name of its folder."""
    summary: str
    """One line of description."""
    url: str | None = None
    """Where its zip file is; None if it comes with Charley."""
    size_bytes: int | None = None
    """Size of the zip file; None if not known."""
    sha256: str | None = None
    """Hash of the zip file; if None, only the zip's own checksums and structure are checked."""


OFFICIAL = Model(
    name="vosk-model-small-en-us-0.15",
    summary="Vosk's small US English model, 40 MB, Apache-2.0: hears people better; recommended",
    url="https://alphacephei.com/vosk/models/vosk-model-small-en-us-0.15.zip",
    size_bytes=41_205_931,
    # Vosk publishes no SHA-256; the same one is pinned by Arch Linux's package, a Yocto recipe
    # and Rhasspy's mirror of the file.
    sha256="30f26242c4eb449f948e42cb302dd7a686cb29a3423a8367f99ff41780942498",
)
_BUNDLED = Model(BUNDLED_MODEL, "comes with Charley: compact, English, made for its words")
MODELS = (_BUNDLED, OFFICIAL)


@dataclass(frozen=True, slots=True)
class Listed:
    """A model as `charley models list` shows it."""

    model: Model
    folder: Path | None
    """Its folder; None if it is not installed."""


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def models_folder() -> Path:
    """Return the folder of downloaded models; it need not exist."""
    return data_folder() / "models"


def listed() -> tuple[Listed, ...]:
    """Return the known models, then others in the download folder."""
    known = [Listed(model, installed(model.name)) for model in MODELS]
    names = {model.name for model in MODELS}
    others = sorted(models_folder().glob("[!.]*")) if models_folder().is_dir() else []
    return (
        *known,
        *(
            Listed(Model(path.name, "fetched from an address of yours"), path)
            for path in others
            if path.name not in names and not missing(path)
        ),
    )


def find(name_or_path: str | None = None) -> Path:
    """Return the folder of the model to use; None asks for the best one installed.

    That is Vosk's official model if it has been fetched, else the bundled one. Raises ModelError.
    """
    if name_or_path is None:
        return installed(OFFICIAL.name) or checked(bundled_model_folder())
    if name_or_path == BUNDLED_MODEL:
        return checked(bundled_model_folder())
    named = models_folder() / name_or_path
    if _NAME.fullmatch(name_or_path) and named.is_dir():
        return checked(named)
    folder = existing_path(name_or_path)
    if folder and folder.is_dir():
        return checked(folder)
    if name_or_path == OFFICIAL.name:
        raise ModelError(f"{name_or_path} is not here yet; fetch it with `charley models get`.")
    raise ModelError(
        f'There is no speech model "{name_or_path}"; give a folder, or a name that '
        "`charley models list` shows."
    )


def checked(folder: Path) -> Path:
    """Return the folder if it holds all that a model needs. Raises ModelError."""
    lacking = missing(folder)
    if lacking:
        raise ModelError(
            f"The speech model in {folder} is not usable: {lacking[0]} is missing or empty. "
            "Take another with --model, or fetch one with `charley models get`."
        )
    return folder


def wanted(name: str, url: str | None, sha256: str | None) -> Model:
    """Return the model to fetch, with the address and hash that were given. ModelError."""
    known = next((model for model in MODELS if model.name == name), None)
    address = url or (known.url if known else None)
    if known is None and not (_NAME.fullmatch(name) and url):
        raise ModelError(
            f'No model "{name}" is known; choose one that `charley models list` shows, or give '
            "its address with --url."
        )
    if known is not None and known.url is not None:
        return Model(name, known.summary, address, known.size_bytes, sha256 or known.sha256)
    return Model(name, "", address, sha256=sha256)


def installed(name: str) -> Path | None:
    """Return the folder of a complete model of this name; None if there is none."""
    folder = models_folder() / name
    if name == BUNDLED_MODEL:
        try:
            folder = bundled_model_folder()
        except ModelError:
            return None
    return None if missing(folder) else folder


def existing_path(text: str) -> Path | None:
    """Return a user's path if something is there; else None."""
    try:
        path = Path(text).expanduser()
        return path if path.exists() else None
    except (
        OSError,
        RuntimeError,
        ValueError,
    ):  # too long, an unknown user's home, a null character
        return None
