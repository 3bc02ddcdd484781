"""How the C library's heap keeps and gives back memory."""

import contextlib
import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Names of glibc's malloc.h."""
_BYTES = 128 * 1024
_ARENAS = 2


def settle() -> None:
    """Keep the heap small in a program that runs all day; call it before there are threads.

    Each new grammar makes and frees graphs of some megabytes. At the first, glibc raises the size
    from which it asks the system anew, so later ones are cut out of the heap, in as many heaps as
    there are threads, and are never given back: 127 instead of 145 MB after seven minutes of talk.
    A size that was set stays. Other C libraries are left alone.
    """
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, _BYTES)
        library.mallopt(_TRIM_THRESHOLD, _BYTES)
        library.mallopt(_ARENA_MAX, _ARENAS)
