"""Files that are there whole or not at all."""

import contextlib
import secrets
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, data: bytes, *, is_private: bool = False) -> None:
    """Put a file in place in one step, so that no reader ever sees half of it. Raises OSError.

    A private file can be read by its owner only.
    """
    draft = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with _create(draft) as file:
            if is_private:
                draft.chmod(0o600)
            file.write(data)
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


def _create(path: Path) -> BinaryIO:
    return path.open("xb")
