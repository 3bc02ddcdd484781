"""Unpack a zip file from elsewhere, so that it can neither leave its folder nor fill the disk."""

import re
import shutil
import stat
import struct
import zipfile
import zlib
from pathlib import Path

from assistant.errors import ModelError


class ArchiveError(ModelError):
    """The archive is damaged, unsafe or not a speech model; delete it."""


_MOST_FILES = 5_000
_MOST_EXPANSION = 20  # times; speech models hardly compress, so this much is a bomb
_BAD_ZIP = (  # what zipfile raises for damaged, encrypted or odd archives
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)
_UNSAFE = re.compile(r'[\x00-\x1f\\:*?"<>|]')
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_LONGEST_PART_BYTES = 255
"""Of a file's name, on every disk of today."""
_BLOCK_BYTES = 1 << 16


def unpack(archive: Path, folder: Path) -> None:
    """Unpack `archive` into an empty folder; after an error, discard its contents.

    Raises ArchiveError, ModelError if there is no room, or OSError.
    """
    try:
        with zipfile.ZipFile(archive) as bundle:
            _extract(bundle, folder, archive.stat().st_size)
    except _BAD_ZIP as error:
        raise ArchiveError(
            f"The file is no whole zip archive ({error}), so it is not used. Fetch it again."
        ) from error
    except FileExistsError as error:
        raise ArchiveError(
            "The archive holds one file twice, so it is not used. Take it from another address."
        ) from error


def _extract(bundle: zipfile.ZipFile, folder: Path, archive_bytes: int) -> None:
    entries = bundle.infolist()
    size = sum(entry.file_size for entry in entries)
    if len(entries) > _MOST_FILES or size > _MOST_EXPANSION * archive_bytes + (1 << 20):
        raise ArchiveError(
            f"The archive would unpack to {len(entries):,} files of {size / 1e6:,.0f} MB; "
            "no speech model does, so it is not used."
        )
    free = shutil.disk_usage(folder).free
    if size > free:
        raise ModelError(
            f"The model needs {size / 1e6:,.0f} MB, and {folder.parent.parent} has "
            f"{free / 1e6:,.0f} MB left; make room and run the same command again."
        )
    for entry in entries:
        path = folder.joinpath(*_safe_parts(entry))
        if entry.is_dir():
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        # "x": two entries whose names are the same on this disk are an error.
        with bundle.open(entry) as source, path.open("xb") as file:
            shutil.copyfileobj(source, file, _BLOCK_BYTES)


def _safe_parts(entry: zipfile.ZipInfo) -> list[str]:
    """Return an entry's path in parts; refuse any that could leave the folder, on any system."""
    name = entry.orig_filename
    parts = name.removesuffix("/").split("/")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    harmless = (
        kind in (0, stat.S_IFREG, stat.S_IFDIR)
        and entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        and len(name) < 1_000
        and all(len(part.encode("utf-8", "replace")) <= _LONGEST_PART_BYTES for part in parts)
        and not _UNSAFE.search(name)
        # Neither empty nor "..", and no trailing dot or space, which Windows drops.
        and all(part and part == part.rstrip(". ") for part in parts)
        and not any(_DEVICE.fullmatch(part) for part in parts)
    )
    if not harmless:
        raise ArchiveError(
            f"The archive holds {name[:80]!r}, which does not belong into a model's folder, so "
            "nothing of it is used. Take it from another address."
        )
    return parts
