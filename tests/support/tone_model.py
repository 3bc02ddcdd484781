"""A Vosk model that hears tones: written in a moment, so that tests can use the real recogniser.

Three words, "low", "mid" and "high", are sine tones of 300, 900 and 2500 hertz. One affine layer on
Kaldi's filter bank separates them; everything else is a model like any other.
"""

import struct
from pathlib import Path

import numpy as np

from assistant.asr.openfst import Arc, head, packed
from assistant.audio.pcm import Pcm, to_int16

RATE = 16000
HERTZ = {"low": 300.0, "mid": 900.0, "high": 2500.0}
WORDS = ["<eps>", "[unk]", "high", "low", "mid"]
"""Sorted, as the arcs of a graph must be; "[unk]" is a tone of 5000 hertz."""
TONES = {**HERTZ, "[unk]": 5000.0}
BINS = 40
SILENCE = 1

FBANK_CONF = f"--num-mel-bins={BINS}\n--dither=0\n--use-energy=false\n--sample-frequency={RATE}\n"
MODEL_CONF = """\
--min-active=10
--max-active=200
--beam=20.0
--lattice-beam=8.0
--acoustic-scale=1.0
--frame-subsampling-factor=3
--endpoint.silence-phones=1
--endpoint.rule2.min-trailing-silence=0.5
--endpoint.rule3.min-trailing-silence=0.75
--endpoint.rule4.min-trailing-silence=1.0
"""


def speak(phrase: str, seconds: float = 0.3, gap_seconds: float = 0.05) -> Pcm:
    """Return the tones of a phrase such as "low high"; "-" is half a second of silence."""
    parts: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []
    for word in phrase.split():
        length = 0.5 if word == "-" else seconds
        time = np.arange(round(length * RATE)) / RATE
        loud = 0.0 if word == "-" else 0.3
        parts += [loud * np.sin(2 * np.pi * TONES.get(word, 0.0) * time)]
        parts += [np.zeros(round(gap_seconds * RATE))]
    return Pcm(to_int16(np.concatenate(parts)), RATE)


def write_model(folder: Path, *, words_in_graph: bool = False) -> Path:
    """Write the model into a folder and return it; its words in a file, or in Gr.fst itself."""
    for name in ("am", "conf", "graph/phones"):
        (folder / name).mkdir(parents=True)
    (folder / "conf/model.conf").write_text(MODEL_CONF, encoding="utf-8")
    (folder / "conf/fbank.conf").write_text(FBANK_CONF, encoding="utf-8")
    (folder / "am/final.mdl").write_text(_acoustic_model(), encoding="utf-8")
    if not words_in_graph:
        words = "".join(f"{word} {index}\n" for index, word in enumerate(WORDS))
        (folder / "graph/words.txt").write_text(words, encoding="utf-8")
    (folder / "graph/disambig_tid.int").write_text("", encoding="utf-8")
    kinds = "".join(f"{phone} singleton\n" for phone in range(2, len(WORDS) + 1))
    (folder / "graph/phones/word_boundary.int").write_text(
        f"{SILENCE} nonword\n{kinds}", encoding="utf-8"
    )
    (folder / "graph/HCLr.fst").write_bytes(_fst(_lexicon()))
    (folder / "graph/Gr.fst").write_bytes(
        _fst([[Arc(word, word, 1.4, 0) for word in range(1, len(WORDS))]], words=words_in_graph)
    )
    return folder


def _lexicon() -> list[list[Arc]]:
    """Return the graph of silence and one phone for each word; phone n + 1 is word n."""
    start = [Arc(2 * SILENCE, 0, 0.7, 1)]
    states = [start]
    for phone in range(1, len(WORDS) + 1):
        if phone != SILENCE:
            start.append(Arc(2 * phone, phone - 1, 0.7, phone))
        states.append([Arc(0, 0, 0.1, 0), Arc(2 * phone - 1, 0, 0.1, phone)])
    return states


def _fst(states: list[list[Arc]], *, words: bool = False) -> bytes:
    """Return an OpenFst vector FST; state 0 is the start and the only final state."""
    arcs = sum(len(state) for state in states)
    data = head("vector", 2 if words else 0, len(states), arcs)
    if words:
        data += struct.pack("<i", 2125658996) + packed("words")
        data += struct.pack("<qq", len(WORDS), len(WORDS))
        data += b"".join(packed(word) + struct.pack("<q", n) for n, word in enumerate(WORDS))
    for index, state in enumerate(states):
        final = 0.0 if index == 0 else float("inf")
        data += struct.pack("<fq", final, len(state))
        data += b"".join(struct.pack("<iifi", *arc) for arc in state)
    return data


def _mel(hertz: float) -> float:
    return 1127.0 * float(np.log1p(hertz / 700.0))


def _bin(hertz: float) -> int:
    """Return the filter that hears a tone best; Kaldi spaces them evenly from 20 to 8000 hertz."""
    low, high = _mel(20.0), _mel(RATE / 2)
    return round((_mel(hertz) - low) / ((high - low) / (BINS + 1))) - 1


def _acoustic_model() -> str:
    phones = range(1, len(WORDS) + 1)
    tuples = "".join(f"{phone} 0 {phone - 1} {phone - 1}\n" for phone in phones)
    costs = " ".join(["0"] + ["-0.693147"] * (2 * len(phones)))
    return f"""<TransitionModel>
<Topology>
<TopologyEntry>
<ForPhones>
{" ".join(map(str, phones))}
</ForPhones>
<State> 0 <PdfClass> 0 <Transition> 0 0.5 <Transition> 1 0.5 </State>
<State> 1 </State>
</TopologyEntry>
</Topology>
<Tuples> {len(phones)}
{tuples}</Tuples>
<LogProbs>
 [ {costs} ]
</LogProbs>
</TransitionModel>
{_network(len(phones))}"""


def _network(outputs: int) -> str:
    weights = np.zeros((outputs, BINS))
    bias = np.zeros(outputs)
    for word, name in enumerate(WORDS):
        if name in TONES:
            # A loud tone's own filter holds about 22 (natural log); its neighbours much less.
            weights[word, _bin(TONES[name])], bias[word] = 2.0, -36.0
    rows = "\n".join(" ".join(f"{value:g}" for value in row) for row in weights)
    # Kaldi takes one blank after the token for itself and then wants its line to end.
    return f"""<Nnet3>{" "}
input-node name=input dim={BINS}
component-node name=a component=a input=input
component-node name=s component=s input=a
output-node name=output input=s objective=linear

<NumComponents> 2
<ComponentName> a <FixedAffineComponent> <LinearParams>  [
  {rows} ]
<BiasParams>  [ {" ".join(f"{value:g}" for value in bias)} ]
</FixedAffineComponent>
<ComponentName> s <LogSoftmaxComponent> <Dim> {outputs} <ValueAvg>  [ ]
<DerivAvg>  [ ]
<Count> 0 <NumDimsSelfRepaired> 0 <NumDimsProcessed> 0 </LogSoftmaxComponent>
</Nnet3> <LeftContext> 0 <RightContext> 0 <Priors>  [ ]
"""
