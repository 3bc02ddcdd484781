"""Write a trained network as a Vosk model: `am/final.mdl` in Kaldi's binary form, and `conf`.

Batch normalisation, the mean and scale of the input, and the outputs' priors are folded into the
affine layers; weights are stored as 16-bit numbers (Kaldi's compressed matrices).
"""

from __future__ import annotations

import argparse
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from assistant.speech_models.phones import PHONES, begin_output, rest_output
from models.training.data.features import BINS, FBANK_CONF
from models.training.exported_network import ExportedNetwork
from models.training.network import LEFT, RIGHT, Network

Array = NDArray[np.float32]
Layer = tuple[str, Array, Array]  # input expression, weights, bias

MODEL_CONF = """\
--min-active=200
--max-active=3000
--beam=12.0
--lattice-beam=5.0
--phone-determinize=false
--acoustic-scale={scale}
--frame-subsampling-factor=3
--frames-per-chunk=9
--endpoint.silence-phones=1
--endpoint.rule2.min-trailing-silence=0.45
--endpoint.rule3.min-trailing-silence=0.5
--endpoint.rule4.min-trailing-silence=0.8
"""


def token(name: str) -> bytes:
    """A word of Kaldi's format."""
    return name.encode() + b" "


def integer(value: int) -> bytes:
    """A 32-bit whole number, with its size before it."""
    return b"\x04" + struct.pack("<i", value)


def real(value: float) -> bytes:
    """A 32-bit real number, with its size before it."""
    return b"\x04" + struct.pack("<f", value)


def integers(values: list[int]) -> bytes:
    """A vector of whole numbers."""
    return b"\x04" + struct.pack(f"<i{len(values)}i", len(values), *values)


def vector(values: Array) -> bytes:
    """A vector of real numbers."""
    return token("FV") + integer(len(values)) + values.astype("<f4").tobytes()


def matrix(values: Array) -> bytes:
    """A matrix of 16-bit numbers between its least and its greatest value."""
    least, span = float(values.min()), float(np.ptp(values)) or 1.0
    header = struct.pack("<ffii", least, span, *values.shape)
    whole = np.rint((values - least) / span * 65535).astype("<u2")
    return token("CM2") + header + bytes(whole.tobytes())


def transition_model() -> bytes:
    """One state a phone: its first frame emits one output, each further frame another."""
    phones = list(range(1, len(PHONES) + 1))
    topology = integers(phones) + integers([-1] + [0] * len(phones)) + integer(-1) + integer(1)
    topology += integer(2) + integer(0) + integer(1) + integer(2)
    topology += integer(0) + real(0.5) + integer(1) + real(0.5)
    topology += integer(-1) + integer(-1) + integer(0)
    tuples = b"".join(
        integer(number) + integer(0) + integer(begin_output(phone)) + integer(rest_output(phone))
        for number, phone in enumerate(PHONES, 1)
    )
    probabilities = np.full(1 + 2 * len(PHONES), np.log(0.5), dtype=np.float32)
    probabilities[0] = 0
    return (
        token("<TransitionModel>")
        + (token("<Topology>") + topology + token("</Topology>"))
        + (token("<Tuples>") + integer(len(PHONES)) + tuples + token("</Tuples>"))
        + (token("<LogProbs>") + vector(probabilities) + token("</LogProbs>"))
        + token("</TransitionModel>")
    )


def _numpy(value: Tensor) -> NDArray[np.float64]:
    return np.asarray(value.detach().double().numpy(), dtype=np.float64)


def _single(values: NDArray[np.floating]) -> Array:
    return values.astype(np.float32)


def _folded(convolution: nn.Conv1d, norm: nn.BatchNorm1d) -> tuple[Array, Array]:
    """The weights and bias of a convolution with the normalisation after it."""
    mean, variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
    gain = _numpy(norm.weight) / np.sqrt(_numpy(variance) + norm.eps)
    weights = _numpy(convolution.weight) * gain[:, None, None]
    return _taps(weights), _single(_numpy(norm.bias) - gain * _numpy(mean))


def _taps(weights: NDArray[np.float64]) -> Array:
    """A convolution's weights as one matrix over its inputs, appended."""
    return _single(weights.transpose(0, 2, 1).reshape(len(weights), -1))


def _append(name: str, offsets: tuple[int, ...]) -> str:
    parts = (f"Offset({name}, {offset})" if offset else name for offset in offsets)
    return f"Append({', '.join(parts)})"


def affine_layers(network: Network, log_priors: Array) -> Iterator[tuple[str, Layer, str]]:
    """Name, layer and kind ("relu", "residual RESIDUE" or "linear") in order."""
    mean, scale = _numpy(network.mean)[:, 0], _numpy(network.scale)[:, 0]
    weights, bias = _folded(network.first, network.first_norm)
    unscaled = weights * np.tile(scale, 5)
    yield (
        "first",
        (
            _append("input", (-2, -1, 0, 1, 2)),
            _single(unscaled),
            _single(bias - unscaled @ np.tile(mean, 5)),
        ),
        "relu",
    )
    second = _folded(network.second, network.second_norm)
    yield "second", (_append("first", (-1, 0, 1)), *second), "relu"
    before = "second"
    for number, block in enumerate(network.ordered_blocks(), 1):
        step = 3 * block.step
        offsets = (-step, 0, step) if block.ahead else (-2 * step, -step, 0)
        narrow = _taps(_numpy(block.narrow.weight))
        yield (
            f"narrow{number}",
            (_append(before, offsets), narrow, np.zeros(len(narrow), dtype=np.float32)),
            "linear",
        )
        widened = _folded(block.widen, block.norm)
        yield f"block{number}", (f"narrow{number}", *widened), f"residual {before}"
        before = f"block{number}"
    bias = _single(_numpy(network.bias()) - log_priors)
    yield "last", (before, _taps(_numpy(network.last.weight)), bias), "linear"


def network_bytes(network: Network, log_priors: Array) -> bytes:
    """The network in Kaldi's nnet3 form."""
    config, components = [f"input-node name=input dim={BINS}"], []
    for name, (source, weights, bias), kind in affine_layers(network, log_priors):
        affine = f"{name}_affine" if kind != "linear" else name
        config.append(f"component-node name={affine} component={affine} input={source}")
        components.append(_affine(affine, weights, bias))
        if kind != "linear":
            relu = f"{name}_relu" if kind != "relu" else name
            config.append(f"component-node name={relu} component={relu} input={affine}")
            components.append(_rectifier(relu, len(bias)))
        if kind.startswith("residual"):
            total = f"Sum({relu}, {kind.split()[1]})"
            config.append(f"component-node name={name} component={name} input={total}")
            components.append(_sum(name, len(bias)))
    config.append("output-node name=output input=last objective=linear")
    text = "\n".join(config).encode()
    count = token("<NumComponents>") + integer(len(components))
    named = b"".join(components)
    return token("<Nnet3>") + b"\n" + text + b"\n\n" + count + named + token("</Nnet3>")


def _sum(name: str, size: int) -> bytes:
    """A component that only passes on the sum given as its input."""
    kind = "NoOpComponent"
    parts = token("<ComponentName>") + token(name) + token(f"<{kind}>") + token("<Dim>")
    return parts + integer(size) + token("<BackpropScale>") + real(1) + token(f"</{kind}>")


def _affine(name: str, weights: Array, bias: Array) -> bytes:
    kind = "FixedAffineComponent"
    parts = token("<ComponentName>") + token(name) + token(f"<{kind}>") + token("<LinearParams>")
    return parts + matrix(weights) + token("<BiasParams>") + vector(bias) + token(f"</{kind}>")


def _rectifier(name: str, size: int) -> bytes:
    kind, empty = "RectifiedLinearComponent", vector(np.zeros(0, dtype=np.float32))
    parts = token("<ComponentName>") + token(name) + token(f"<{kind}>")
    parts += token("<Dim>") + integer(size) + token("<ValueAvg>") + empty
    return parts + token("<DerivAvg>") + empty + token("<Count>") + real(0) + token(f"</{kind}>")


def log_priors(counts: NDArray[np.float64], power: float) -> Array:
    """How likely each output is, raised to a power; rare outputs count as a little less rare."""
    share = counts / counts.sum()
    return _single(power * np.log(np.maximum(share, 1e-4)))


def mean(states: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of the weights of networks that were trained in parallel."""
    return {name: sum(state[name] for state in states) / len(states) for name in states[0]}


def write(network: Network, priors: Array, out: Path, scale: float) -> None:
    """Write the network and its settings into a model folder."""
    (out / "am").mkdir(parents=True, exist_ok=True)
    (out / "conf").mkdir(exist_ok=True)
    context = token("<LeftContext>") + integer(LEFT) + token("<RightContext>") + integer(RIGHT)
    no_priors = token("<Priors>") + vector(np.zeros(0, dtype=np.float32))
    body = transition_model() + network_bytes(network, priors) + context + no_priors
    (out / "am" / "final.mdl").write_bytes(b"\0B" + body)
    (out / "conf" / "fbank.conf").write_text(FBANK_CONF)
    (out / "conf" / "model.conf").write_text(MODEL_CONF.format(scale=scale))


def difference(network: Network, priors: Array, model: Path) -> float:
    """The greatest difference between the network's scores and those of the written file."""
    generator = np.random.default_rng(1)
    features = _single(generator.normal(12, 4, (LEFT + 300 + RIGHT, BINS)))
    with torch.no_grad():
        ours = network(torch.from_numpy(features.T[None]))[0].T.numpy() - priors
    theirs = ExportedNetwork(model / "am" / "final.mdl").scores(features)[LEFT:][::3]
    return float(np.abs(ours - theirs[: len(ours)]).max())


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", type=Path, nargs="+", help="of several, the mean")
    parser.add_argument("model", type=Path, help="model folder")
    parser.add_argument("--prior-power", type=float, default=0.0)
    parser.add_argument("--scale", type=float, default=0.7, help="acoustic scale")
    options = parser.parse_args()
    states = [torch.load(path, weights_only=True) for path in options.checkpoints]
    network = Network.of(mean([state["average"] for state in states]))
    network.eval()
    counts = sum(state["counts"].numpy() for state in states)
    priors = log_priors(counts, options.prior_power)
    write(network, priors, options.model, options.scale)
    print(f"greatest difference of a score: {difference(network, priors, options.model):.4f}")


if __name__ == "__main__":
    main()
