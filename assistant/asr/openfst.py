"""OpenFst's plain "vector" graphs as files, in the form of OpenFst 1.6 that Kaldi and Vosk read.

That needs no FST library, and no Python binding of one can be loaded next to vosk, which contains a
copy of its own.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

MAGIC = 2125659606
HAS_OUTPUT_SYMBOLS = 2
LONGEST_HEADER_BYTES = 256
_STATE = struct.Struct("<fq")
_ARC = np.dtype([("input", "<i4"), ("output", "<i4"), ("cost", "<f4"), ("to", "<i4")])
_COUNTS = struct.Struct("<iiQqqq")
_VERSION = 2
_EXPANDED_MUTABLE = 3
"""The only properties that a file declares; readers test the others where they need them."""


class Arc(NamedTuple):
    """One arc of a graph."""

    input: int
    """Label taken in; 0 for none."""
    output: int
    """Label put out; 0 for none."""
    cost: float
    """Negative natural logarithm of a probability."""
    to: int
    """State that it leads to."""


@dataclass(slots=True)
class Graph:
    """States with the arcs that leave them; state 0 is the start."""

    states: list[list[Arc]] = field(default_factory=list)
    final: dict[int, float] = field(default_factory=dict)
    """Final states with their costs."""

    def state(self) -> int:
        """Add a state and return its number."""
        self.states.append([])
        return len(self.states) - 1


@dataclass(frozen=True, slots=True)
class Header:
    """The head of an OpenFst file."""

    kind: str
    """Such as "vector", "ngram" or "olabel_lookahead"."""
    flags: int
    states: int
    arcs: int
    """-1 if the kind does not count them; some writers leave it 0."""
    length: int
    """Bytes."""

    @property
    def least_bytes(self) -> int:
        """Least length of a whole file in bytes; 0 where the kind does not determine it."""
        if self.kind != "vector" or self.states < 0 or self.arcs < 0:
            return 0
        return self.length + self.states * _STATE.size + self.arcs * _ARC.itemsize


def header(data: bytes) -> Header:
    """Return the header in a file's first bytes; ValueError if it is no OpenFst file."""
    try:
        magic = struct.unpack_from("<i", data)[0]
        kind, at = _string(data, 4)
        _arc_kind, at = _string(data, at)
        _version, flags, _properties, _start, states, arcs = _COUNTS.unpack_from(data, at)
    except struct.error:
        raise ValueError("too short for an FST") from None
    if magic != MAGIC:
        raise ValueError("no FST")
    return Header(kind, flags, states, arcs, at + _COUNTS.size)


def head(kind: str, flags: int, states: int = 0, arcs: int = 0) -> bytes:
    """Return the first bytes of a file."""
    counts = _COUNTS.pack(_VERSION, flags, _EXPANDED_MUTABLE, 0, states, arcs)
    return struct.pack("<i", MAGIC) + packed(kind) + packed("standard") + counts


def packed(text: str) -> bytes:
    """Return a text as OpenFst writes it: its length, then its bytes."""
    return struct.pack("<i", len(text)) + text.encode()


def read(path: Path) -> Graph:
    """Return a vector graph without symbols; ValueError if it is something else or cut short."""
    data = path.read_bytes()
    found = header(data)
    if found.kind != "vector" or found.flags:
        raise ValueError("no plain vector FST")
    graph, at = Graph(), found.length
    try:
        for state in range(found.states):
            final, count = _STATE.unpack_from(data, at)
            at += _STATE.size
            arcs = np.frombuffer(data, _ARC, count, at)
            at += arcs.nbytes
            graph.states.append([Arc(*arc) for arc in arcs.tolist()])
            if final < math.inf:
                graph.final[state] = final
    except struct.error:
        raise ValueError("cut short") from None
    return graph


def write(graph: Graph, path: Path) -> None:
    """Write a graph. Raises OSError."""
    counts = sum(map(len, graph.states))
    body = chain.from_iterable(
        (
            _STATE.pack(graph.final.get(number, math.inf), len(arcs)),
            np.array(arcs, _ARC).tobytes(),
        )
        for number, arcs in enumerate(graph.states)
    )
    path.write_bytes(head("vector", 0, len(graph.states), counts) + b"".join(body))


def _string(data: bytes, at: int) -> tuple[str, int]:
    length = struct.unpack_from("<i", data, at)[0]
    if not 0 < length < 64:
        raise ValueError("no FST")
    return data[at + 4 : at + 4 + length].decode("ascii"), at + 4 + length
