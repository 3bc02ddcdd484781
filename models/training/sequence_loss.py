"""A sequence criterion (lattice-free MMI): the true phones against every sequence of phones.

The competing sequences follow a bigram of phones, counted in the training labels. The gradient is
the share of each output over all sequences, less the labels; no graph is kept for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assistant.speech_models.phones import OUTPUTS, PHONES, begin_output, rest_output

STATES = 2 * len(PHONES)  # every phone's first frame, then every phone's further frames


def phone_bigrams(labels: NDArray[np.uint8]) -> Tensor:
    """How likely each phone follows each other one, from frame labels; smoothed."""
    known = labels[labels < STATES]
    changes = np.flatnonzero(known[1:] != known[:-1])
    before, after = known[changes] // 2, known[changes + 1] // 2
    counts = np.full((len(PHONES), len(PHONES)), 1.0)
    np.add.at(counts, (before, after), 1.0)
    unigram = counts.sum(0) / counts.sum()
    smooth = counts + 0.05 * counts.sum(1, keepdims=True) * unigram
    np.fill_diagonal(smooth, smooth.diagonal() * 0.5)
    return torch.from_numpy(smooth / smooth.sum(1, keepdims=True)).float()


class AllSequences:
    """Forward and backward passes over all sequences of phones."""

    def __init__(self, bigrams: Tensor, stay: float = 0.6) -> None:
        count = len(PHONES)
        self._move = torch.zeros(STATES, STATES)
        self._move[:count, :count] = self._move[count:, :count] = (1 - stay) * bigrams
        within = torch.arange(count)
        self._move[within, within + count] = stay
        self._move[within + count, within + count] = stay
        names = [begin_output(phone) for phone in PHONES] + [rest_output(phone) for phone in PHONES]
        self._output = torch.tensor(names)

    def shares(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """For scores (batch, frames, outputs): their total and each output's share a frame."""
        peak = scores.amax(2, keepdim=True)
        emitted = (scores - peak).exp()[:, :, self._output]
        forward, scales = self._forward(emitted)
        backward = self._backward(emitted, scales)
        occupied = forward * backward
        occupied /= occupied.sum(2, keepdim=True).clamp_min(1e-30)
        shares = torch.zeros(*scores.shape[:2], OUTPUTS).index_add_(2, self._output, occupied)
        return scales.log().sum(1) + peak[..., 0].sum(1), shares

    def _forward(self, emitted: Tensor) -> tuple[Tensor, Tensor]:
        alpha = torch.full((len(emitted), STATES), 1 / STATES)
        rows, scales = [], []
        for frame in emitted.unbind(1):
            alpha = (alpha @ self._move) * frame
            scale = alpha.sum(1, keepdim=True).clamp_min(1e-30)
            alpha = alpha / scale
            rows.append(alpha)
            scales.append(scale)
        return torch.stack(rows, 1), torch.cat(scales, 1)

    def _backward(self, emitted: Tensor, scales: Tensor) -> Tensor:
        beta = torch.ones(len(emitted), STATES)
        rows = [beta]
        for index in range(emitted.shape[1] - 1, 0, -1):
            beta = ((beta * emitted[:, index]) @ self._move.T) / scales[:, index, None]
            rows.append(beta)
        return torch.stack(rows[::-1], 1)


class SequenceLoss(torch.autograd.Function):  # type: ignore[misc, unused-ignore]
    """Total score of all sequences less the score of the labels, a labelled frame."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, labels: Tensor, everything: AllSequences) -> Tensor:
        """The loss; the gradient is computed here too."""
        known = labels >= 0
        total, shares = everything.shares(scores)
        truth = torch.zeros_like(shares).scatter_(2, labels.clamp_min(0)[..., None], 1.0)
        frames = known.sum()
        ctx.save_for_backward((shares - truth) * known[..., None] / frames)
        return (total.sum() - (scores * truth)[known].sum()) / frames

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override, unused-ignore]
        """The gradient computed in the forward pass."""
        return ctx.saved_tensors[0] * upstream, None, None
