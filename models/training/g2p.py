"""Learn from CMUdict how English letters are pronounced: the model of unknown words.

`python -m models.training.g2p` writes `models/g2p-en.npz`; with `--measure` it learns from 19 in 20
words of the dictionary into a temporary file and counts the wrong phones in the others. With
`--peer` it measures g2p-en (PyPI) on the same words, installed without its dependencies:

    pip install --no-deps --target FOLDER g2p-en
    PYTHONPATH=FOLDER python -m models.training.g2p --measure --peer
"""

from __future__ import annotations

import argparse
import math
import random
import re
import sys
import tempfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np

from assistant.paths import models_file
from assistant.speech_models.g2p import END, FIRST_UNIT, ORDER, START, STEPS, Letters, Pronunciation
from assistant.speech_models.lexicon import cmudict

Unit = tuple[str, Pronunciation]
Counts = list[Counter[str]]
Rows = dict[str, float]
Guesses = Callable[[str], tuple[Pronunciation, ...]]

MOST_PHONES = 2
"""Phones that one letter may stand for, as "x" does."""
RARE = 3
"""Units seen less often are errors of the alignment or the dictionary."""
ROUNDS = 5
SAMPLE = 30_000
"""Words that the alignment is learned on; the last round sees all."""
WORTH = 2.0
"""Log likelihood (base e, over the dictionary) that a sequence of units must add to be kept."""
HELD_OUT = 20
UNSEEN = -14.0


# --- Alignment: which letter stands for which phones ---------------------------------------------


def first_guess(pairs: Iterable[tuple[str, Pronunciation]]) -> dict[Unit, float]:
    """Initial weights: letters and phones about equally far into their words."""
    counts: Counter[Unit] = Counter()
    for word, phones in pairs:
        for i, letter in enumerate(word):
            for j, phone in enumerate(phones):
                apart = abs((i + 0.5) / len(word) - (j + 0.5) / len(phones))
                counts[letter, (phone,)] += math.exp(-8 * apart)  # type: ignore[assignment]
    scores = logarithms(counts)
    return scores | {(letter, ()): -2.5 for letter, _ in counts}


def logarithms(counts: Mapping[Unit, float]) -> dict[Unit, float]:
    """How likely each unit is, given its letter."""
    totals: Counter[str] = Counter()
    for (letter, _), count in counts.items():
        totals[letter] += count  # type: ignore[assignment]
    return {unit: math.log(count / totals[unit[0]]) for unit, count in counts.items()}


def aligned(
    word: str, phones: Pronunciation, scores: Mapping[Unit, float]
) -> tuple[Unit, ...] | None:
    """The likeliest way to share the phones among the letters; None if they are too many."""
    best: list[dict[int, tuple[float, int]]] = [{0: (0.0, 0)}]
    for place, letter in enumerate(word, 1):
        row: dict[int, tuple[float, int]] = {}
        for begin, (score, _) in best[-1].items():
            for end in range(begin, min(begin + MOST_PHONES, len(phones)) + 1):
                total = score + scores.get((letter, phones[begin:end]), UNSEEN)
                fits = len(phones) - end <= MOST_PHONES * (len(word) - place)
                if fits and (end not in row or total > row[end][0]):
                    row[end] = (total, begin)
        best.append(row)
    end = len(phones)
    units: list[Unit] = []
    for place in range(len(word), 0, -1):
        if end not in best[place]:
            return None
        begin = best[place][end][1]
        units.append((word[place - 1], phones[begin:end]))
        end = begin
    return tuple(reversed(units))


def alignments(pairs: list[tuple[str, Pronunciation]]) -> list[tuple[Unit, ...]]:
    """All words as sequences of units, by a few rounds of alignment and counting."""
    some = random.Random(1).sample(pairs, min(SAMPLE, len(pairs)))
    scores = first_guess(some)
    rows: list[tuple[Unit, ...]] = []
    for turn in range(ROUNDS):
        found = (aligned(*pair, scores) for pair in (pairs if turn == ROUNDS - 1 else some))
        rows = [row for row in found if row]
        scores = logarithms(Counter(unit for row in rows for unit in row))
    return rows


# --- The n-gram ----------------------------------------------------------------------------------


def counted(rows: Iterable[str]) -> Counts:
    """How often each sequence of up to ORDER units occurs, by its length."""
    counts: Counts = [Counter() for _ in range(ORDER + 1)]
    for row in rows:
        for end in range(2, len(row) + 1):
            for length in range(1, min(ORDER, end) + 1):
                counts[length][row[end - length : end]] += 1
    return counts


def smoothed(counts: Counts, units: int) -> tuple[Rows, Rows]:
    """Interpolated Kneser-Ney, modified (Chen and Goodman 1998): probabilities and back-offs."""
    shares: Rows = {}
    retreats: Rows = {}
    for length in range(1, ORDER + 1):
        seen = counts[length] if length == ORDER else continued(counts, length)
        discounts = _discounts(seen)
        total: Counter[str] = Counter()
        left: defaultdict[str, float] = defaultdict(float)
        for row, count in seen.items():
            total[row[:-1]] += count
            left[row[:-1]] += discounts[min(count, 3)]
        for row, count in seen.items():
            before = row[:-1]
            shorter = shares[row[1:]] if length > 1 else 1 / units
            own = count - discounts[min(count, 3)]
            shares[row] = (own + left[before] * shorter) / total[before]
        retreats |= {before: left[before] / total[before] for before in total if before}
    return shares, retreats


def continued(counts: Counts, length: int) -> Counter[str]:
    """How many different units precede a sequence; at the start of words, how often it occurs."""
    ways = Counter(row[1:] for row in counts[length + 1])
    ways.update({row: n - ways[row] for row, n in counts[length].items() if row[0] == START})
    return ways


def _discounts(seen: Counter[str]) -> list[float]:
    many = Counter(min(count, 4) for count in seen.values())
    ratio = many[1] / (many[1] + 2 * many[2]) if many[1] else 0.5
    rest = [n - (n + 1) * ratio * many[n + 1] / max(1, many[n]) for n in (1, 2, 3)]
    return [0.0, *(max(0.1, value) for value in rest)]


def pruned(counts: Counts, shares: Rows, retreats: Rows) -> tuple[Rows, Rows]:
    """Prune sequences that shorter ones nearly predict; then correct the back-off weights."""
    keep: set[str] = set()
    for length in range(ORDER, 1, -1):
        begun = {row[:-1] for row in keep if len(row) == length + 1}
        for row, count in counts[length].items():
            other = retreats[row[:-1]] * shares[row[1:]]
            if row in begun or count * math.log(shares[row] / other) > WORTH:
                keep.add(row)
    kept = {row: share for row, share in shares.items() if len(row) == 1 or row in keep}
    return kept, _retreats(kept)


def _retreats(shares: Rows) -> Rows:
    """The back-off weight of each sequence: the probability left for unseen units."""
    after: defaultdict[str, list[str]] = defaultdict(list)
    for row in shares:
        after[row[:-1]].append(row)
    found: Rows = {}

    def share(before: str, unit: str) -> float:
        price = 1.0
        while before and before + unit not in shares:
            price *= found.get(before, 1.0)
            before = before[1:]
        return price * shares[before + unit]

    for before in sorted(filter(None, after), key=len):
        rest = 1 - sum(shares[row] for row in after[before])
        other = 1 - sum(share(before[1:], row[-1]) for row in after[before])
        found[before] = max(rest, 1e-6) / max(other, 1e-6)
    return found


# --- The file ------------------------------------------------------------------------------------


def learn(words: Mapping[str, Iterable[Pronunciation]], path: Path) -> None:
    """Learn from a dictionary and write the model."""
    pairs = [(spelt(word), phones) for word, said in words.items() for phones in said]
    found = alignments([pair for pair in pairs if pair[0]])
    often = Counter(unit for row in found for unit in row).most_common()
    units = [unit for unit, count in often if count >= RARE]
    marks = {unit: chr(FIRST_UNIT + number) for number, unit in enumerate(units)}
    fit = (row for row in found if all(unit in marks for unit in row))
    counts = counted(START + "".join(marks[unit] for unit in row) + END for row in fit)
    save(units, *pruned(counts, *smoothed(counts, len(units) + 1)), path)


def spelt(word: str) -> str:
    """The letters of a word."""
    return re.sub("[^a-z]", "", word)


def save(units: list[Unit], shares: Rows, retreats: Rows, path: Path) -> None:
    """Write the sequences depth first, so that each needs only its last unit and its length."""
    rows = sorted({*shares, *retreats})
    np.savez_compressed(
        path,
        units=np.array(" ".join(f"{letter}:{'+'.join(phones)}" for letter, phones in units)),
        marks=np.frombuffer("".join(row[-1] for row in rows).encode(), np.uint8),
        depths=np.array([len(row) - 1 for row in rows], np.uint8),
        scores=_steps(shares.get(row, 1e-9) for row in rows),
        retreats=_steps(retreats.get(row, 1.0) for row in rows),
    )


def _steps(shares: Iterable[float]) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.array([round(-STEPS * math.log(share)) for share in shares], np.int16)


# --- Measuring -----------------------------------------------------------------------------------


def distance(found: Pronunciation, right: Pronunciation) -> int:
    """Phones to substitute, insert or delete."""
    row = list(range(len(right) + 1))
    for i, phone in enumerate(found, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(right, 1):
            wrong = diagonal + (phone != other)
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, wrong)
    return row[-1]


def errors(
    guesses: Guesses,
    words: Mapping[str, tuple[Pronunciation, ...]],
) -> tuple[float, float, float]:
    """Wrong phones and wrong words of the first guess, and words wrong in all guesses, in %."""
    wrong = phones = words_wrong = all_wrong = 0
    for word, right in words.items():
        found = guesses(word) or ((),)
        apart, length = min((distance(found[0], said), len(said)) for said in right)
        wrong, phones = wrong + apart, phones + length
        words_wrong += apart > 0
        all_wrong += not set(found) & set(right)
    return 100 * wrong / phones, 100 * words_wrong / len(words), 100 * all_wrong / len(words)


def peer() -> Guesses:
    """g2p-en's network, without the text analysis around it, which needs downloads."""
    for name in ("nltk", "nltk.corpus", "nltk.tag", "nltk.tokenize", "inflect", "distance"):
        sys.modules[name] = MagicMock()
    from g2p_en import G2p

    network = G2p()
    return lambda word: (tuple(re.sub(r"\d", "", phone) for phone in network.predict(word)),)


def measure(path: Path, *, with_peer: bool) -> Iterator[str]:
    """Learn without some words into a file, and yield the errors in those."""
    known = {word: said for word, said in cmudict().items() if spelt(word) == word}
    held = {word: s for word, s in known.items() if zlib.crc32(word.encode()) % HELD_OUT == 0}
    learn({word: said for word, said in known.items() if word not in held}, path)
    trial = Letters.load(path)
    rivals: dict[str, Guesses] = {"n-gram": trial.guesses}
    rivals |= {"g2p-en": peer()} if with_peer else {}
    for name, guesses in rivals.items():
        phones, first, every = errors(guesses, held)
        yield (
            f"{name}: of {len(held)} words {phones:.2f} % of phones wrong, {first:.1f} % of words, "
            f"{every:.1f} % in every guess"
        )
    yield f"{path.stat().st_size / 1e3:.0f} kB, {len(trial.scores)} rows"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=models_file("g2p-en.npz"))
    parser.add_argument("--measure", action="store_true", help="measure a trial model instead")
    parser.add_argument("--peer", action="store_true", help="measure g2p-en too")
    options = parser.parse_args()
    if not options.measure:
        learn(cmudict(), options.out)
        return
    with tempfile.TemporaryDirectory() as folder:
        for line in measure(Path(folder) / "trial.npz", with_peer=options.peer):
            print(line, flush=True)


if __name__ == "__main__":
    main()
