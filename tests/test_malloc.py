"""Large pieces of memory go back to the system, whatever was freed before."""

import subprocess
import sys

import pytest

LARGE_AFTER_LARGER = """
import ctypes, sys
from assistant import malloc
if sys.argv[1:]:
    malloc.settle()
library = ctypes.CDLL(None)
library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
library.free.argtypes = [ctypes.c_void_p]
library.free(library.malloc(20_000_000))  # glibc then keeps pieces up to this size in its heap
library.malloc(8_000_000)
class Info(ctypes.Structure):
    _fields_ = [(f"field_{n}", ctypes.c_size_t) for n in range(10)]
library.mallinfo2.restype = Info
print(library.mallinfo2().field_4)  # hblkhd
"""
"""Prints the bytes that were asked of the system in pieces of their own."""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it is about glibc")
def test_large_pieces_are_asked_of_the_system_each_time() -> None:
    def separate(*words: str) -> int:
        command = [sys.executable, "-c", LARGE_AFTER_LARGER, *words]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert separate("settled") - separate() > 7_900_000
