"""The microphone as blocks of 16 kHz mono. The callback copies and passes on, nothing more."""

import contextlib
import queue
from typing import Any

import numpy as np

from assistant.audio.devices import Kind
from assistant.audio.pcm import Samples
from assistant.audio.shaping import resampler
from assistant.audio.stream import STALL_SECONDS, DeviceStream, OnLost

LISTEN_RATE = 16000
"""Hertz; what the speech models were trained on."""
BLOCK_SECONDS = 0.03
"""Length of a block; longer blocks delay the word "stop" until they are full."""
QUEUE_BLOCKS = 256
"""Blocks kept for a reader that is behind, 7.7 seconds; then the oldest are dropped."""


class Microphone(DeviceStream):
    """The microphone as blocks of 16 kHz mono; a context manager."""

    kind: Kind = "input"

    def __init__(
        self,
        device: str | int | None = None,
        on_lost: OnLost = lambda _name: None,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        """Choose a device by index or part of its name. Raises DeviceError."""
        super().__init__(device, LISTEN_RATE, on_lost, stall_seconds)
        self.dropped_blocks = 0
        """Blocks lost because nobody read them in time."""
        self.overflows = 0
        """Times that PortAudio itself lost sound."""
        self._blocks: queue.Queue[Samples] = queue.Queue(QUEUE_BLOCKS)
        self._resampled = resampler(self.rate, LISTEN_RATE)

    @property
    def behind_seconds(self) -> float:
        """Sound that was recorded and waits to be read."""
        return self._blocks.qsize() * BLOCK_SECONDS

    def read(self, timeout_seconds: float | None = None) -> Samples | None:
        """Return the next sound, int16 at 16 kHz, or None if none came in time.

        It is one block, or all that wait: in one piece they take a fraction of the work, so a
        reader that is behind catches up.
        """
        blocks: list[Samples] = []
        try:
            blocks.append(self._blocks.get(timeout=timeout_seconds))
            while len(blocks) < QUEUE_BLOCKS:
                blocks.append(self._blocks.get_nowait())
        except queue.Empty:
            if not blocks:
                return None
        return self._resampled(np.concatenate(blocks))

    def forget(self) -> None:
        """Drop what nobody has read yet; from any thread."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._blocks.get_nowait()

    def _options(self) -> dict[str, Any]:
        return {"blocksize": round(BLOCK_SECONDS * self.rate), "latency": "low"}

    def _callback(self, data: Any, frames: int, time: Any, status: Any) -> None:  # noqa: ARG002
        self.watch.called()
        if status:
            self.overflows += 1
        # Of two channels both, for a headset's voice may be on either.
        block = np.mean(data, axis=1).astype(np.int16)
        while True:
            try:
                return self._blocks.put_nowait(block)
            except queue.Full:
                # The newest sound matters most: "stop" must not wait behind old talk.
                with contextlib.suppress(queue.Empty):
                    self._blocks.get_nowait()
                    self.dropped_blocks += 1
