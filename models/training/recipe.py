"""Train the speech model from start to finish.

    python -m models.training.recipe SPEECH WORK MODEL --torch PYTHON [--from FINISHED]

SPEECH is a folder with `manifest.jsonl`, folders of noise and `impulse_responses`; WORK holds
intermediate results, MODEL the finished model. PYTHON is the interpreter of an environment with
PyTorch. With `--from` the network of a FINISHED model folder labels the recordings and is trained
further; without, a first network is trained on PocketSphinx's labels. A step whose result exists
in WORK is skipped: after an interruption delete what the last step left half done, and start
again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

INTENTS = "intents/en"
# Every step that works on both cores does so in processes; their threads wait for each other.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Step:
    """One step: what it makes, its module and arguments, and whether it needs PyTorch."""

    result: Path
    module: str
    arguments: tuple[object, ...]
    torch: bool = False


def sounds(options: argparse.Namespace) -> list[Step]:
    """Sound besides the recordings: synthetic speech and the noise of running."""
    text, running = options.work / "sentences/charley.txt", options.work / "noise/running"
    return [
        Step(text, "data.sentences", (f"{INTENTS}/sentences", text)),
        *spoken(options),
        Step(running, "data.running_noise", (options.speech, running)),
    ]


def spoken(options: argparse.Namespace) -> list[Step]:
    """Charley's sentences and more, said by machines; by neural voices too where they are given."""
    work = options.work
    synth, neural = work / "synth", work / "neural"
    lines = (work / "sentences", options.speech, "--count", options.lines, "--out")
    steps = [Step(synth, "data.synthesise", (*lines, synth))]
    if options.kokoro:
        voices = ("--kokoro", options.kokoro, "--seed", 2)
        steps.append(Step(neural, "data.synthesise", (*lines, neural, *voices)))
    return steps


def first_network(options: argparse.Namespace) -> list[Step]:
    """A network good enough to label the recordings, from PocketSphinx's labels."""
    speech, work = options.speech, options.work
    labels = [work / "recorded.jsonl", work / "synthetic.jsonl"]
    clips, out = work / "first", work / "start"
    return [
        Step(labels[0], "labels.align", (speech, labels[0])),
        Step(labels[1], "labels.align", (work / "synth", labels[1])),
        augmented(options, clips, *labels),
        Step(
            out / "checkpoint.pt",
            "train",
            (clips, "--out", out, "--minutes", options.minutes / 4),
            torch=True,
        ),
        Step(
            work / "labeller/am",
            "export",
            (out / "checkpoint.pt", work / "labeller", "--prior-power", 0.8),
            torch=True,
        ),
    ]


def augmented(options: argparse.Namespace, out: Path, *labels: Path) -> Step:
    """The training array of labelled recordings."""
    rooms = options.speech / "impulse_responses"
    noises = (options.work / "noise", *sorted(options.speech.glob("noise*")))
    changes = ("--noise", *noises, "--rooms", rooms)
    return Step(out, "data.features", (*labels, *changes, "--out", out))


def last_network(options: argparse.Namespace) -> list[Step]:
    """The network that is exported, trained on labels of our own."""
    work, minutes = options.work, ("--minutes", options.minutes)
    labels, clips, frames, whole = (
        work / name for name in ("own.jsonl", "clips", "frames", "whole")
    )
    labeller = options.model_before or work / "labeller"
    sources = (options.speech, *(step.result for step in spoken(options)))
    steps = [
        Step(labels, "labels.realign", (labeller, *sources, "--out", labels)),
        augmented(options, clips, labels),
    ]
    before: tuple[object, ...] = ("--from", options.model_before)
    if not options.model_before:
        done = frames / "checkpoint.pt"
        steps.append(Step(done, "train", (clips, "--out", frames, *minutes), torch=True))
        before = ("--after", done)
    trained = (clips, "--out", whole, *before, *minutes, "--rate", "5e-4")
    return [*steps, Step(whole / "checkpoint.pt", "train", trained, torch=True)]


def steps(options: argparse.Namespace) -> list[Step]:
    """All steps in order."""
    model, whole = options.model, options.work / "whole/checkpoint.pt"
    return [
        *sounds(options),
        *([] if options.model_before else first_network(options)),
        *last_network(options),
        Step(model / "am", "export", (whole, model), torch=True),
        Step(model / "graph", "graph", (model, INTENTS, "--frequent", 30000)),
    ]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("speech", "work", "model"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--from", dest="model_before", type=Path, help="finished model folder")
    parser.add_argument("--torch", default=sys.executable, help="interpreter that has PyTorch")
    parser.add_argument("--minutes", type=float, default=60, help="time of each main training")
    parser.add_argument(
        "--kokoro", type=Path, help="folder of Kokoro's voices (see data/kokoro.py)"
    )
    parser.add_argument("--lines", type=int, default=12_000, help="synthetic sentences")
    options = parser.parse_args()
    (options.work / "sentences").mkdir(parents=True, exist_ok=True)
    for step in steps(options):
        if not step.result.exists():
            arguments = [f"models.training.{step.module}", *map(str, step.arguments)]
            print(" ".join(arguments), flush=True)
            interpreter = options.torch if step.torch else sys.executable
            subprocess.run([interpreter, "-m", *arguments], check=True, env=os.environ | ONE_THREAD)


if __name__ == "__main__":
    main()
