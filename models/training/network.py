"""The network in PyTorch: a factorised time-delay network with residual links.

It reads 40 log mel energies every 10 ms and scores the outputs of `phones.py` every 30 ms.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from assistant.speech_models.phones import OUTPUTS
from models.training.data.features import BINS

CHANNELS, BOTTLENECK = 448, 144
# One block after the other: its step in output frames, and whether it looks ahead too.
AHEAD, BEHIND, FAR_BEHIND = (1, True), (1, False), (2, False)
BLOCKS = (AHEAD, BEHIND, AHEAD, FAR_BEHIND, AHEAD, FAR_BEHIND, AHEAD, FAR_BEHIND, AHEAD)
LEFT = 2 + 1 + 3 * sum(step if ahead else 2 * step for step, ahead in BLOCKS)
RIGHT = 2 + 1 + 3 * sum(step for step, ahead in BLOCKS if ahead)


class Block(nn.Module):  # type: ignore[misc, unused-ignore]
    """Three frames, `step` apart, through a bottleneck; added to the (cropped) input."""

    def __init__(self, step: int, ahead: bool, channels: int, bottleneck: int) -> None:
        super().__init__()
        self.step, self.ahead = step, ahead
        self.narrow = nn.Conv1d(channels, bottleneck, 3, dilation=step, bias=False)
        self.widen = nn.Conv1d(bottleneck, channels, 1, bias=False)
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Shorter by two steps."""
        residue = x[..., self.step : -self.step] if self.ahead else x[..., 2 * self.step :]
        return residue + functional.relu(self.norm(self.widen(self.narrow(x))))


class Network(nn.Module):  # type: ignore[misc, unused-ignore]
    """Log mel energies (batch, bins, LEFT + 3n + RIGHT - 2) to scores (batch, outputs, n)."""

    def __init__(self, channels: int = CHANNELS, bottleneck: int = BOTTLENECK) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(BINS, 1))
        self.register_buffer("scale", torch.ones(BINS, 1))
        self.first = nn.Conv1d(BINS, channels, 5, bias=False)
        self.first_norm = nn.BatchNorm1d(channels)
        self.second = nn.Conv1d(channels, channels, 3, stride=3, bias=False)
        self.second_norm = nn.BatchNorm1d(channels)
        blocks = (Block(step, ahead, channels, bottleneck) for step, ahead in BLOCKS)
        self.blocks = nn.ModuleList(blocks)
        self.last = nn.Conv1d(channels, OUTPUTS, 1)

    @staticmethod
    def of(state: dict[str, Tensor]) -> Network:
        """A network of the size that a checkpoint's weights have, with these weights."""
        bottleneck, channels, _ = state["blocks.0.narrow.weight"].shape
        network = Network(channels, bottleneck)
        network.load_state_dict(state)
        return network

    def forward(self, x: Tensor) -> Tensor:
        """Unnormalised scores."""
        x = (x - self.mean) * self.scale
        x = functional.relu(self.first_norm(self.first(x)))
        x = functional.relu(self.second_norm(self.second(x)))
        for block in self.blocks:
            x = block(x)
        scores: Tensor = self.last(x)
        return scores

    def ordered_blocks(self) -> list[Block]:
        """The blocks, first to last."""
        return [block for block in self.blocks if isinstance(block, Block)]

    def bias(self) -> Tensor:
        """The bias of the last layer."""
        bias: Tensor = self.last.bias  # type: ignore[assignment, unused-ignore]
        return bias
