"""Download a speech model: fetch, resume, verify, unpack.

A download resumes where it was interrupted, is checked against a known SHA-256, unpacked next to
its place and moved there in one step: a model folder is complete or it does not exist. HTTP uses
requests, which vosk requires anyway.
"""

import errno
import hashlib
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from assistant.asr.vosk_files import missing
from assistant.errors import ModelError
from assistant.paths import bundled_model_folder
from assistant.speech_models.archive import ArchiveError, unpack
from assistant.speech_models.catalogue import (
    OFFICIAL,
    Model,
    checked,
    existing_path,
    installed,
    models_folder,
    wanted,
)

if TYPE_CHECKING:
    import requests

Progress = Callable[[int, int | None], None]
"""Called with the bytes received and the total, None if the server does not report it."""


_UNSAFE_ADDRESS = re.compile(
    r"http://(?!(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/]|$))", re.IGNORECASE
)
"""Not encrypted, and not on this machine."""
_ATTEMPTS = 4
_RETRY_SECONDS = 1.0
_TIMEOUT_SECONDS = (10.0, 30.0)  # to connect; until the next bytes
_BLOCK_BYTES = 1 << 13  # bytes; small, because a block that was cut off is fetched again
_LARGEST_ZIP_BYTES = 4 << 30  # Vosk's largest model is 3 GB


def get(
    name: str = OFFICIAL.name,
    url: str | None = None,
    *,
    sha256: str | None = None,
    progress: Progress | None = None,
) -> Path:
    """Fetch a model if it is not there yet and return its folder.

    `url` is another address for it, or a zip file on this computer. Raises ModelError; what has
    been fetched until then is kept, and the next call goes on from there.
    """
    model = wanted(name, url, sha256)
    there = installed(model.name)
    if there:
        return there
    if model.url is None:
        return checked(bundled_model_folder())  # which says what is wrong with it
    target = models_folder() / model.name
    with _disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        local = _local_file(model)
        archive = local or _part(model)
        if local is None:
            _refuse_unsafe(model, model.url)
            _fetch(model, archive, progress or (lambda _done, _total: None))
        try:
            _verify(model, archive)
            _unpack(archive, target)
        except ArchiveError:
            _forget(archive, local)
            raise
        _forget(archive, local)
    return target


def _forget(archive: Path, local: Path | None) -> None:
    """Delete a fetched archive; the user's own file stays."""
    if local is None:
        archive.unlink(missing_ok=True)


def _local_file(model: Model) -> Path | None:
    address = model.url or ""
    if address.startswith(("http://", "https://")):
        return None
    path = existing_path(address.removeprefix("file://"))
    if path is None or not path.is_file():
        raise ModelError(f'"{address}" is neither an http address nor a file; check it.')
    return path


def _refuse_unsafe(model: Model, address: str) -> None:
    """Refuse what anybody between here and the server could replace unseen. ModelError."""
    if model.sha256 is None and _UNSAFE_ADDRESS.match(address):
        raise ModelError(
            f"{address} is not encrypted, so anybody on the way could send another file; give "
            "an https address, or the file's hash with --sha256."
        )


# --- Fetching ------------------------------------------------------------------------------------


def _part(model: Model) -> Path:
    # The address is part of the name: two servers' files are never mixed.
    mark = hashlib.sha256((model.url or "").encode()).hexdigest()[:8]
    return models_folder() / f".{model.name}-{mark}.part"


def _fetch(model: Model, part: Path, progress: Progress) -> None:
    """Fetch the whole file into `part`; resume after interruptions as long as bytes arrive."""
    import requests

    left, longest = _ATTEMPTS, _size(part)
    while True:
        try:
            if _fetch_rest(model, part, progress):
                return
            reason = "the server sent less than it said"
        except requests.RequestException as error:
            reason = _plainly(error)
            if _is_final(error):
                raise ModelError(
                    f"{model.url} cannot be fetched: {reason}. Check the address or try later."
                ) from error
        # Progress earns more attempts; a server that sends nothing does not.
        left = _ATTEMPTS if _size(part) > longest else left - 1
        longest = max(longest, _size(part))
        if left == 0:
            raise ModelError(
                f"The download of {model.name} stopped at {_size(part) / 1e6:.1f} MB: {reason}. "
                "Run the same command again and it goes on from there."
            )
        time.sleep(_RETRY_SECONDS)


def _is_final(error: "requests.RequestException") -> bool:
    """Return whether asking again is useless: a wrong address, or a server that refuses."""
    status = error.response.status_code if error.response is not None else 0
    return isinstance(error, ValueError) or 400 <= status < 500


def _fetch_rest(model: Model, part: Path, progress: Progress) -> bool:
    """Request the missing bytes once; return whether the file is now complete."""
    import requests

    have = _size(part)
    if model.size_bytes is not None and have >= model.size_bytes:
        return True  # complete, or wrong: the hash decides
    headers = {"Accept-Encoding": "identity", "User-Agent": "charley"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with requests.get(
        model.url or "", headers=headers, stream=True, timeout=_TIMEOUT_SECONDS
    ) as response:
        _refuse_unsafe(model, response.url)  # where it was sent on to
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            whole = response.headers.get("Content-Range", "") == f"bytes */{have}"
            if not whole:
                part.unlink()  # not the file that was begun: start over
            return whole
        response.raise_for_status()
        # A server that does not know Range answers 200 with the file from its start.
        goes_on = response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        start = have if response.status_code == requests.codes.partial_content and goes_on else 0
        with part.open("ab" if start else "wb") as file:
            return _receive(response, file, start, model, progress)


def _receive(
    response: "requests.Response", file: BinaryIO, start: int, model: Model, progress: Progress
) -> bool:
    """Append the response after the first `start` bytes; return whether the file is complete."""
    length = response.headers.get("Content-Length", "")
    total = start + int(length) if re.fullmatch(r"\d{1,15}", length) else model.size_bytes
    limit = model.size_bytes or _LARGEST_ZIP_BYTES
    done = start
    progress(done, total)
    for block in response.iter_content(_BLOCK_BYTES):
        done += len(block)
        if done > limit:
            file.truncate(0)
            raise ModelError(
                f"{model.url} is larger than {model.name} can be ({limit:,} bytes), so it is "
                "not the right file; check the address."
            )
        file.write(block)
        progress(done, total)
    return total is None or done >= total


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0  # an unreadable place counts as absent


def _plainly(error: "requests.RequestException") -> str:
    import requests

    if error.response is not None:
        return f"the server answers {error.response.status_code} {error.response.reason}".strip()
    if isinstance(error, requests.exceptions.SSLError):
        return "the server's certificate is not to be trusted"
    if isinstance(error, requests.Timeout):
        return "the server does not answer"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was cut"
    if isinstance(error, requests.ConnectionError):
        return "there is no connection to the server"
    return "the address is not valid" if isinstance(error, ValueError) else type(error).__name__


# --- Unpacking -----------------------------------------------------------------------------------


def _verify(model: Model, archive: Path) -> None:
    if model.sha256 is None:
        return
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != model.sha256.lower():
        raise ArchiveError(
            f"{model.url} is not the {model.name} that was expected (its SHA-256 begins "
            f"{found[:12]}, not {model.sha256[:12]}), so it is not used. "
            "Try again, or take it from another address with --url."
        )


def _unpack(archive: Path, target: Path) -> None:
    """Unpack next to `target`, check that it is a model, and move it there in one step."""
    with tempfile.TemporaryDirectory(
        prefix=".unpack-", dir=target.parent, ignore_cleanup_errors=True
    ) as draft:
        inside = Path(draft, "archive")
        inside.mkdir()
        unpack(archive, inside)
        root = _model_root(inside)
        if target.exists():
            target.rename(Path(draft, "replaced"))  # it was incomplete
        root.rename(target)


def _model_root(folder: Path) -> Path:
    """Return the folder itself or, as Vosk's archives have it, the only folder in it."""
    inside = list(folder.iterdir())
    root = inside[0] if len(inside) == 1 and inside[0].is_dir() else folder
    lacking = missing(root)
    if lacking:
        raise ArchiveError(
            f"The archive holds no speech model that Charley can use: {lacking[0]} is missing or "
            "empty. Take another model."
        )
    return root


@contextmanager
def _disk_errors(target: Path) -> Iterator[None]:
    """Turn disk errors into one sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ModelError(
                f"The disk is full: {target.parent} has no room for {target.name}. Make room and "
                "run the same command again; it goes on from where it was."
            ) from error
        raise ModelError(
            f"{target.name} cannot be put into {target.parent} ({error.strerror or error}); "
            "fix that and run the same command again."
        ) from error
