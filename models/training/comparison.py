"""Compare Vosk with PyTorch: whether the exported model hears what the network heard.

    python -m models.training.comparison MODEL SPEECH UTTERANCES --torch PYTHON

Fifty recordings and synthetic sentences, by people and voices of the test part, are decoded twice:
by Vosk, and here from the scores of the network in PyTorch, over the same graph and grammar (all of
the texts, and `[unk]`). The network comes from a training's checkpoint or, without one, from
`am/final.mdl`. The features of `data/features.py` are compared with Kaldi's own online ones
(kaldi-native-fbank, PyPI). PyTorch and Vosk need an interpreter each: see requirements.txt.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from assistant.asr import openfst
from assistant.asr.openfst import Arc, Graph
from assistant.speech_models.decoding_graph import GRAMMAR, LEXICON, WORDS, read_words
from assistant.speech_models.phones import PHONES, begin_output, rest_output
from models.training.data.features import BINS, HIGHEST, LOWEST, filter_bank, load, part_of
from models.training.data.labelled_sound import RATE
from models.training.data.synthesise import Line, speak
from models.training.data.voices import TEST_VOICES
from models.training.exported_network import ExportedNetwork

Array = NDArray[np.float32]

FILES = 50
LONGEST_SECONDS = 6.0
SUBSAMPLING = 3
NEVER = "1000"
"""Seconds of silence that end an utterance here: each file is heard as one."""
WHOLE_SEARCH = {"beam": "40", "max-active": "200000"}
"""Vosk's search prunes nothing either, so differences come from the network."""


# --- What is compared ----------------------------------------------------------------------------


def prepare(model: Path, speech: Path, utterances: Path, work: Path) -> None:
    """Write the files as WAV with their texts, and the model with a grammar of their words."""
    texts: dict[str, str] = {}
    recorded = [e for e in _entries(speech) if e["text"] and part_of(e["speaker"]) == "test"]
    short = [e for e in recorded if e["seconds"] <= LONGEST_SECONDS]
    words = [e for e in short if e["source"] == "speech_commands"]
    read = [e for e in short if e["source"] == "librispeech"]
    for entry in (*_spread(words, FILES // 4), *_spread(read, FILES // 4)):
        _keep(work, texts, entry["text"], load(speech / entry["audio"]))
    lines = [line for path in sorted(utterances.glob("*.txt")) for line in _lines(path)]
    for number, line in enumerate(_spread(lines, FILES - len(texts))):
        _keep(work, texts, line, speak(Line(line, TEST_VOICES[number % len(TEST_VOICES)])))
    (work / "texts.json").write_text(json.dumps(texts))
    _with_grammar(model, dict.fromkeys(texts.values()), work / "model")


def _entries(speech: Path) -> list[dict[str, Any]]:
    lines = (speech / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _spread(things: list[Any], count: int) -> list[Any]:
    """That many of them, evenly spaced."""
    return [things[n * len(things) // count] for n in range(count)]


def _keep(work: Path, texts: dict[str, str], text: str, samples: Array) -> None:
    path = work / f"{len(texts):02d}.wav"
    soundfile.write(path, samples, RATE, subtype="PCM_16")
    texts[path.name] = text


def _with_grammar(model: Path, texts: Iterable[str], out: Path) -> None:
    """Copy the model, with a grammar of some texts and of `[unk]`, and without beam or endpoint."""
    shutil.copytree(model, out)
    table = read_words(out / "graph" / WORDS)
    known = [text.split() for text in texts if all(word in table for word in text.split())]
    grammar = Graph([[Arc(1, 1, 0.0, 0)]], {0: 0.0})
    for words in known:
        at = 0
        for number in map(table.__getitem__, words):
            to = grammar.state()
            grammar.states[at].append(Arc(number, number, 0.0, to))
            at = to
        grammar.final[at] = 0.0
    grammar.states[0].sort()
    openfst.write(grammar, out / "graph" / GRAMMAR)
    conf = out / "conf" / "model.conf"
    options = re.sub(r"(trailing-silence)=.*", rf"\1={NEVER}", conf.read_text(encoding="utf-8"))
    for name, value in WHOLE_SEARCH.items():
        options = re.sub(rf"--{name}=.*", f"--{name}={value}", options)
    conf.write_text(options, encoding="utf-8")


# --- PyTorch -------------------------------------------------------------------------------------


def heard_in_torch(work: Path, checkpoint: Path | None) -> dict[str, str]:
    """Decode every file from the scores of the network in PyTorch."""
    conf = (work / "model/conf/model.conf").read_text(encoding="utf-8")
    scale = float(re.findall(r"--acoustic-scale=(.*)", conf)[0])
    decoder = Decoder(work / "model/graph")
    score = _trained(checkpoint) if checkpoint else _exported(work / "model/am/final.mdl")
    return {
        path.name: decoder.best(scale * score(filter_bank(load(path))))
        for path in sorted(work.glob("*.wav"))
    }


def _exported(path: Path) -> Any:
    """The scores every 30 ms by the layers of the file, as PyTorch computes them."""
    import torch

    torch.set_num_threads(1)  # the layers are small; more threads wait for each other

    nodes = ExportedNetwork(path).layers()

    def score(features: Array) -> Array:
        values = {"input": torch.from_numpy(features)}
        for name, parts, is_sum, component in nodes:
            index = torch.arange(len(features))
            rows = [values[node][(index + by).clamp(0, len(features) - 1)] for node, by in parts]
            joined = torch.stack(rows).sum(0) if is_sum else torch.cat(rows, 1)
            if isinstance(component, tuple):
                weights, bias = map(torch.from_numpy, component)
                joined = torch.nn.functional.linear(joined, weights, bias)
            elif "Rectified" in component:
                joined = torch.relu(joined)
            values[name] = joined
        return np.asarray(values["last"].numpy()[::SUBSAMPLING])

    return score


def _trained(folder: Path) -> Any:
    """The scores every 30 ms by the network of a checkpoint, before it was exported."""
    import torch

    torch.set_num_threads(1)  # the layers are small; more threads wait for each other

    from models.training.network import LEFT, RIGHT, Network

    state = torch.load(folder / "checkpoint.pt", weights_only=True)
    network = Network()
    network.load_state_dict(state["average"])
    network.eval()

    def score(features: Array) -> Array:
        whole = np.pad(features, ((LEFT, RIGHT + SUBSAMPLING), (0, 0)), mode="edge")
        with torch.no_grad():
            scores = network(torch.from_numpy(whole.T[None]))[0].T.numpy()
        return np.asarray(scores[: -(-len(features) // SUBSAMPLING)])

    return score


class Decoder:
    """Viterbi's algorithm over a graph and its grammar; no beam."""

    def __init__(self, graph: Path) -> None:
        lexicon, grammar = openfst.read(graph / LEXICON), openfst.read(graph / GRAMMAR)
        places: dict[Place, int] = {(0, 0): 0}
        arcs = list(_joined(lexicon, grammar, places))
        self._states = len(places)
        self._final = [
            state
            for (word, said), state in places.items()
            if word in lexicon.final and said in grammar.final
        ]
        self._speaking = _Arcs([arc for arc in arcs if arc[2]])
        self._free = _Arcs([arc for arc in arcs if not arc[2]])
        self._names = {number: word for word, number in read_words(graph / WORDS).items()}
        outputs = [0] + [n for p in PHONES for n in (rest_output(p), begin_output(p))]
        self._outputs = np.array(outputs)
        """Of each transition-id: the first of a phone stays in it, the second enters it."""

    def best(self, scores: Array) -> str:
        """The words of the best path through scaled scores, a row each 30 ms."""
        costs = np.full(self._states, np.inf)
        costs[0] = 0.0
        steps: list[tuple[_Arcs, NDArray[np.int64]]] = []
        costs = self._relaxed(costs, steps)
        for row in scores:
            at = self._outputs[self._speaking.label]
            costs, via = self._speaking.step(costs, self._states, self._speaking.cost - row[at])
            steps.append((self._speaking, via))
            costs = self._relaxed(costs, steps)
        return self._words(steps, min(self._final, key=lambda state: costs[state]))

    def _relaxed(
        self, costs: NDArray[np.float64], steps: list[tuple[_Arcs, NDArray[np.int64]]]
    ) -> NDArray[np.float64]:
        """Follow arcs that consume no frame, as long as that is cheaper."""
        while True:
            found, via = self._free.step(costs, self._states, self._free.cost)
            better = found < costs - 1e-9
            if not better.any():
                return costs
            steps.append((self._free, np.where(better, via, -1)))
            costs = np.where(better, found, costs)

    def _words(self, steps: list[tuple[_Arcs, NDArray[np.int64]]], state: int) -> str:
        words = []
        for arcs, via in reversed(steps):
            if via[state] >= 0:
                words.append(arcs.word[via[state]])
                state = arcs.source[via[state]]
        return " ".join(self._names[word] for word in reversed(words) if word)


Row = tuple[int, int, int, int, float]
"""An arc: from, to, transition-id, word, cost."""


Place = tuple[int, int]
"""A state of the lexicon and one of the grammar."""


def _joined(lexicon: Graph, grammar: Graph, places: dict[Place, int]) -> Iterator[Row]:
    """The arcs of both as one graph; `places` gets what can be reached, numbered."""
    queue = list(places)
    for here in queue:  # it grows while it is walked
        for arc in lexicon.states[here[0]]:
            said = [Arc(0, 0, 0.0, here[1])] if not arc.output else grammar.states[here[1]]
            for word in said:
                if word.input == arc.output:
                    to = (arc.to, word.to)
                    if to not in places:
                        places[to] = len(places)
                        queue.append(to)
                    yield places[here], places[to], arc.input, arc.output, arc.cost + word.cost


class _Arcs:
    """Arcs sorted by where they lead, so that the cheapest into each state is quickly found."""

    def __init__(self, arcs: list[Row]) -> None:
        source, to, label, word, cost = zip(*sorted(arcs, key=lambda arc: arc[1]), strict=True)
        self.source, self.to, self.label = np.array(source), np.array(to), np.array(label)
        self.word, self.cost = np.array(word), np.array(cost)
        self._targets, self._starts = np.unique(self.to, return_index=True)

    def step(
        self, costs: NDArray[np.float64], states: int, prices: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The cheapest cost of each state one arc on, and that arc; -1 for none."""
        totals = costs[self.source] + prices
        least = np.minimum.reduceat(totals, self._starts)
        found, via = np.full(states, np.inf), np.full(states, -1)
        found[self._targets] = least
        hits = np.flatnonzero(totals == found[self.to])
        via[self.to[hits[::-1]]] = hits[::-1]
        return found, via


# --- Vosk and Kaldi ------------------------------------------------------------------------------


def heard_in_vosk(work: Path) -> dict[str, str]:
    """What Vosk hears in every file, with the grammar of the folder."""
    import vosk

    vosk.SetLogLevel(-1)
    model = vosk.Model(str(work / "model"))
    heard = {}
    for path in sorted(work.glob("*.wav")):
        recogniser = vosk.KaldiRecognizer(model, RATE)
        # The best path; without this Vosk gives the words with the least expected errors instead.
        recogniser.SetMaxAlternatives(1)
        samples, _ = soundfile.read(path, dtype="int16")
        recogniser.AcceptWaveform(samples.tobytes())
        heard[path.name] = str(json.loads(recogniser.FinalResult())["alternatives"][0]["text"])
    return heard


def feature_difference(work: Path) -> float:
    """The greatest difference of a log energy from Kaldi's, with the options of `fbank.conf`."""
    import kaldi_native_fbank as kaldi

    options = kaldi.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.samp_freq = RATE
    options.mel_opts.num_bins = BINS
    options.mel_opts.low_freq, options.mel_opts.high_freq = LOWEST, HIGHEST
    greatest = 0.0
    for path in sorted(work.glob("*.wav")):
        samples = load(path)
        online = kaldi.OnlineFbank(options)
        for start in range(0, len(samples), 1600):  # in pieces, as from a microphone
            online.accept_waveform(RATE, (samples[start : start + 1600] * 32768).tolist())
        theirs = np.stack([online.get_frame(n) for n in range(online.num_frames_ready)])
        greatest = max(greatest, float(np.abs(theirs - filter_bank(samples)).max()))
    return greatest


# --- All of it -----------------------------------------------------------------------------------


def report(texts: dict[str, str], ours: dict[str, str], theirs: dict[str, str]) -> str:
    """What differs, file by file, and how many are the same."""
    different = [name for name in texts if ours[name] != theirs[name]]
    lines = [
        f"{name}: said “{texts[name]}”, PyTorch “{ours[name]}”, Vosk “{theirs[name]}”"
        for name in different
    ]
    return "\n".join([*lines, f"{len(texts) - len(different)} of {len(texts)} files the same"])


def _run(interpreter: str, stage: str, work: Path, *more: str) -> Any:
    command = [interpreter, "-m", "models.training.comparison", "--stage", stage, str(work), *more]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def _staged(stage: str, work: Path, checkpoint: Path | None) -> dict[str, str] | float:
    if stage == "kaldi":
        return feature_difference(work)
    return heard_in_vosk(work) if stage == "vosk" else heard_in_torch(work, checkpoint)


def main() -> None:
    """Command line; each stage has a process of its own."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="as above")
    parser.add_argument("--torch", default=sys.executable, help="interpreter that has PyTorch")
    parser.add_argument("--kaldi", default=sys.executable, help="that has kaldi-native-fbank")
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--stage", choices=("torch", "vosk", "kaldi"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        print(json.dumps(_staged(options.stage, options.paths[0], options.checkpoint)))
        return
    more = ("--checkpoint", str(options.checkpoint)) if options.checkpoint else ()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        model, speech, utterances = options.paths
        prepare(model, speech, utterances, work)
        print(f"features: at most {_run(options.kaldi, 'kaldi', work):.5f} from Kaldi's")
        texts = json.loads((work / "texts.json").read_text())
        ours, theirs = (
            _run(options.torch, "torch", work, *more),
            _run(sys.executable, "vosk", work),
        )
        print(report(texts, ours, theirs))


if __name__ == "__main__":
    main()
