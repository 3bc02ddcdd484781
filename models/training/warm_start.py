"""Weights of a finished model, read from `am/final.mdl` so that training can go on from there.

The file has no batch normalisation: a pass over training batches sets it so that each layer's
output stays the same. A wider network may start from a narrower one: the added channels have no
effect on the scores at first.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.training.exported_network import ExportedNetwork
from models.training.network import Network

Array = NDArray[np.float32]


def read(path: Path, network: Network, features: Tensor) -> None:
    """Fill a network from a file; `features` (batch, bins, frames) set its normalisation.

    The network's input mean and scale must be set already; its layers must not be smaller than
    those of the file.
    """
    layers = {
        name: component
        for name, _, component in ExportedNetwork(path).nodes
        if isinstance(component, tuple)
    }
    biases: dict[nn.BatchNorm1d, Tensor] = {}
    for name, convolution, norm in _layers(network):
        weights, bias = layers[name]
        if name.startswith("first"):
            weights, bias = _rescaled(network, weights, bias)
        _fill(convolution, weights, silent=name.startswith(("block", "last")))
        if norm is not None:
            biases[norm] = _padded(torch.from_numpy(bias), norm.num_features)
    network.bias().data.copy_(torch.from_numpy(layers["last"][1]))
    _set_norms(network, biases, features)


def _layers(network: Network) -> Iterator[tuple[str, nn.Conv1d, nn.BatchNorm1d | None]]:
    """Every convolution with its name in the file and the normalisation after it."""
    yield "first_affine", network.first, network.first_norm
    yield "second_affine", network.second, network.second_norm
    for number, block in enumerate(network.ordered_blocks(), 1):
        yield f"narrow{number}", block.narrow, None
        yield f"block{number}_affine", block.widen, block.norm
    yield "last", network.last, None


def _rescaled(network: Network, weights: Array, bias: Array) -> tuple[Array, Array]:
    """The first layer's weights and bias for an input of mean 0 and deviation 1."""
    mean, scale = (np.tile(part.numpy()[:, 0], 5) for part in (network.mean, network.scale))
    return weights / scale, bias + weights @ mean


def _fill(convolution: nn.Conv1d, weights: Array, *, silent: bool) -> None:
    """Put a matrix over appended inputs into a convolution that may be larger.

    Old outputs get nothing from new inputs. New outputs keep their random weights on all inputs,
    or, where they would be added to something (`silent`), take none of the new inputs either.
    """
    target = convolution.weight.data
    outputs, width = len(weights), weights.shape[1] // target.shape[2]
    taps = weights.reshape(outputs, target.shape[2], width).transpose(0, 2, 1)
    target[:, width:] = 0 if silent else target[:, width:]
    target[:outputs] = 0
    target[:outputs, :width] = torch.from_numpy(np.ascontiguousarray(taps))


def _padded(values: Tensor, size: int) -> Tensor:
    return torch.cat([values, torch.zeros(size - len(values))])


def _set_norms(network: Network, biases: dict[nn.BatchNorm1d, Tensor], features: Tensor) -> None:
    """Let each normalisation pass on its input plus a bias, as the file's layers do."""
    hooks = [
        norm.register_forward_pre_hook(partial(_settle, bias)) for norm, bias in biases.items()
    ]
    network.eval()
    with torch.no_grad():
        network(features)
    network.train()
    for hook in hooks:
        hook.remove()


def _settle(bias: Tensor, norm: nn.BatchNorm1d, inputs: tuple[Tensor]) -> None:
    """Take the mean and variance of what comes in, and undo their effect but for the bias."""
    mean, variance = inputs[0].mean((0, 2)), inputs[0].var((0, 2)).clamp_min(1e-4)
    norm.get_buffer("running_mean").copy_(mean)
    norm.get_buffer("running_var").copy_(variance)
    norm.weight.data.copy_((variance + norm.eps).sqrt())
    norm.bias.data.copy_(mean + bias)
