"""The exported network, read back from `am/final.mdl` and run in numpy: a check on the export."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
NODE = re.compile(r"component-node name=(\S+) component=\S+ input=(.*)")
JOIN = re.compile(r"^(Append|Sum)")
PART = re.compile(r"Offset\((\w+), (-?\d+)\)|(\w+)")


class Reader:
    """Kaldi's binary tokens, numbers and matrices, in order."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 0

    def take(self, size: int) -> bytes:
        """Read bytes."""
        self._place += size
        return self._data[self._place - size : self._place]

    def until(self, mark: bytes) -> str:
        """Read up to a mark, which is skipped."""
        end = self._data.index(mark, self._place)
        text = self._data[self._place : end].decode("latin-1")
        self._place = end + len(mark)
        return text

    def integer(self) -> int:
        """A whole number with its size before it."""
        return int(struct.unpack("<xi", self.take(5))[0])

    def vector(self) -> Array:
        """A vector of real numbers."""
        self.until(b"FV ")
        return np.frombuffer(self.take(4 * self.integer()), dtype="<f4").astype(np.float32)

    def matrix(self) -> Array:
        """A matrix of 16-bit numbers."""
        self.until(b"CM2 ")
        least, span, rows, columns = struct.unpack("<ffii", self.take(16))
        whole = np.frombuffer(self.take(2 * rows * columns), dtype="<u2").reshape(rows, columns)
        return np.asarray(least + span / 65535 * whole, dtype=np.float32)


class ExportedNetwork:
    """Nodes in order, each with its input expression and, if affine, its weights and bias."""

    def __init__(self, path: Path) -> None:
        reader = Reader(path.read_bytes())
        reader.until(b"<Nnet3> \n")
        nodes = [NODE.match(line) for line in reader.until(b"\n\n").split("\n")]
        inputs = {node[1]: node[2] for node in nodes if node}
        reader.until(b"<NumComponents> ")
        self.nodes: list[tuple[str, str, tuple[Array, Array] | str]] = []
        for _ in range(reader.integer()):
            reader.until(b"<ComponentName> ")
            name, kind = reader.until(b" "), reader.until(b" ")
            affine = (reader.matrix(), reader.vector()) if "Affine" in kind else kind
            self.nodes.append((name, inputs[name], affine))

    def layers(self) -> list[tuple[str, list[tuple[str, int]], bool, tuple[Array, Array] | str]]:
        """Each node: name, inputs with their offset in frames, "are they summed", component."""
        return [
            (
                name,
                [
                    (node or plain, int(frames or 0))
                    for node, frames, plain in PART.findall(JOIN.sub("", source))
                ],
                source.startswith("Sum"),
                component,
            )
            for name, source, component in self.nodes
        ]

    def scores(self, features: Array) -> Array:
        """The outputs at every frame of 10 ms; the edge frames are repeated."""
        values = {"input": features}
        for name, inputs, is_sum, component in self.layers():
            parts = [_shifted(values[node], frames) for node, frames in inputs]
            joined = np.sum(parts, axis=0) if is_sum else np.concatenate(parts, axis=1)
            if isinstance(component, tuple):
                joined = joined @ component[0].T + component[1]
            elif "Rectified" in component:
                joined = np.maximum(joined, 0)
            values[name] = joined
        return values["last"]


def _shifted(values: Array, frames: int) -> Array:
    """The values so many frames later (or earlier)."""
    index = np.clip(np.arange(len(values)) + frames, 0, len(values) - 1)
    return values[index]
