"""The whole recipe: `python -m models.recipe SPEECH SENTENCES WORK MODEL --torch PYTHON`.

SPEECH is a folder with `manifest.jsonl`, `noise` and `impulse_responses`; SENTENCES holds text
files, one sentence a line; WORK gets what is made on the way, MODEL the finished model. PyTorch
lives in an environment of its own, whose interpreter is PYTHON. Stages whose results lie in WORK
are passed over: after a break delete what the last stage left half made, and start it again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path


def stages(options: argparse.Namespace) -> list[tuple[str, Path, list[str]]]:
    """Interpreter, what the stage makes, and its command line."""
    speech, work, model = options.speech, options.work, options.model
    here, torch = sys.executable, options.torch
    synth, first, second = work / "synth", work / "first", work / "second"
    augment = ["--noise", f"{speech}/noise", "--rooms", f"{speech}/impulse_responses"]
    minutes = str(options.minutes)
    frames, whole = work / "frames/checkpoint.pt", work / "whole/checkpoint.pt"
    recorded_labels, synthetic_labels = work / "recorded.jsonl", work / "synthetic.jsonl"
    labels = work / "realigned.jsonl"
    return [
        (here, synth, ["synthesise", str(options.sentences), str(speech), str(synth)]),
        (here, recorded_labels, ["align", str(speech), str(recorded_labels)]),
        (here, synthetic_labels, ["align", str(synth), str(synthetic_labels)]),
        (
            torch,
            first,
            [
                "features",
                str(recorded_labels),
                str(synthetic_labels),
                *augment,
                "--out",
                str(first),
            ],
        ),
        (
            torch,
            work / "start/checkpoint.pt",
            ["train", str(first), "--out", f"{work}/start", "--minutes", str(options.minutes / 4)],
        ),
        (
            torch,
            labels,
            [
                "realign",
                f"{work}/start/checkpoint.pt",
                str(speech),
                str(synth),
                "--out",
                str(labels),
            ],
        ),
        (torch, second, ["features", str(labels), *augment, "--out", str(second)]),
        (
            torch,
            frames,
            ["train", str(second), "--out", str(frames.parent), "--minutes", minutes],
        ),
        (
            torch,
            whole,
            [
                *("train", str(second), "--out", str(whole.parent), "--after", str(frames)),
                *("--minutes", str(options.minutes / 2), "--rate", "4e-4"),
            ],
        ),
        (torch, model / "am", ["export", str(whole), str(model)]),
        (
            here,
            model / "graph",
            ["graph", str(model), "intents/en", str(options.sentences), "--frequent", "15000"],
        ),
    ]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("speech", "sentences", "work", "model"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--torch", default=sys.executable, help="interpreter that has PyTorch")
    parser.add_argument("--minutes", type=float, default=60, help="time of the main training")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    for interpreter, result, command in stages(options):
        if not result.exists():
            print("models." + " ".join(command), flush=True)
            subprocess.run([interpreter, "-m", f"models.{command[0]}", *command[1:]], check=True)


if __name__ == "__main__":
    main()
