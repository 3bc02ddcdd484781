"""What a speech model's folder must hold, in Vosk's format: the one list of its files.

Vosk ends the whole process, without an exception, when some of them are missing or broken, so they
are checked before it loads them.
"""

from pathlib import Path

from assistant.asr import openfst
from assistant.errors import ModelError
from assistant.regular_file import open_regular

NEEDED = (
    "am/final.mdl",
    "conf/model.conf",
    "graph/HCLr.fst",
    "graph/Gr.fst",
    "graph/disambig_tid.int",
)
"""Without HCLr and Gr (a static graph) a model cannot take the grammar of the present state."""
MAY_BE_EMPTY = ("graph/disambig_tid.int",)
WORDS = "graph/words.txt"
"""Needed where Gr.fst does not carry its words itself, as that of Vosk's own small model does."""
FEATURES = ("conf/mfcc.conf", "conf/fbank.conf")
"""One of them is needed."""
FIX = 'fix it with "charley models get"'


def missing(folder: Path) -> list[str]:
    """Return the needed files of a model's folder that are not there, or empty."""
    names = [*NEEDED, *([] if _carries_words(folder / "graph/Gr.fst") else [WORDS])]
    least = {name: 0 if name in MAY_BE_EMPTY else 1 for name in names}
    found = [name for name, size in least.items() if _size(folder / name) < size]
    if all(_size(folder / name) < 0 for name in FEATURES):
        found.append(" or ".join(FEATURES))
    return found


def check(folder: Path) -> None:
    """Find what would make Vosk fail, or worse, end the process. Raises ModelError."""
    if not folder.is_dir():
        raise ModelError(f'{folder}: there is no speech model; get one with "charley models get".')
    lacking = missing(folder)
    if lacking:
        raise ModelError(
            f"{folder / lacking[0]}: this part of the speech model is missing or empty; {FIX}."
        )
    if not _names_silence(_read(folder / "conf/model.conf")):
        raise ModelError(
            f"{folder / 'conf/model.conf'}: --endpoint.silence-phones is missing; {FIX}."
        )
    for name in NEEDED:
        _read(folder / name, 1)
    for name in ("graph/HCLr.fst", "graph/Gr.fst"):
        _check_fst(folder / name)


def _size(path: Path) -> int:
    """Return a file's length in bytes; -1 if it is missing or unreachable."""
    try:
        return path.stat().st_size if path.is_file() else -1
    except OSError:
        return -1


def _read(path: Path, most_bytes: int = -1) -> bytes:
    """Return a file's beginning, -1 for all of it. Raises ModelError."""
    try:
        with open_regular(path) as file:
            return file.read(most_bytes)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}).") from None


def _names_silence(conf: bytes) -> bool:
    lines = conf.decode("utf-8", errors="replace").splitlines()
    return any(
        line.strip().startswith("--endpoint.silence-phones=") and line.strip()[-1].isdigit()
        for line in lines
    )


# --- Graphs --------------------------------------------------------------------------------------


def _carries_words(path: Path) -> bool:
    """Return whether a graph contains a table of its output words."""
    try:
        head = openfst.header(_read(path, openfst.LONGEST_HEADER_BYTES))
        return bool(head.flags & openfst.HAS_OUTPUT_SYMBOLS)
    except (ModelError, ValueError):
        return False


def _check_fst(path: Path) -> None:
    """Check an OpenFst file's header, and the length of a plain vector graph. Raises ModelError."""
    try:
        whole = openfst.header(_read(path, openfst.LONGEST_HEADER_BYTES)).least_bytes <= _size(path)
    except ValueError:
        whole = False
    if not whole:
        raise ModelError(f"{path}: this part of the speech model is broken; {FIX}.")
