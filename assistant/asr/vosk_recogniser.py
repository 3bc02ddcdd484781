"""The recogniser on Vosk, with a grammar that may change. The only module that imports vosk.

Vosk ends the whole process, without an exception, on a broken model (see `vosk_files`) and on an
empty grammar; this module prevents both. It does not call SetGrammar, because vosk 0.3.45 then
leaks the old grammar's graph, half a megabyte each time. PyTorch and vosk hang when loaded into one
process, so nothing that is imported here may import PyTorch.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from assistant.asr import vosk_files
from assistant.asr.hypothesis import RATE, UNKNOWN, Alternative, Hypothesis, Word
from assistant.asr.vosk_files import FIX
from assistant.audio.pcm import Samples
from assistant.content.homophones import Homophones
from assistant.errors import ModelError, RecogniserError

STABLE_SECONDS = 0.15
"""A word of a partial hypothesis that stays for so long has been seen by two decoding steps."""
ALTERNATIVES = 30
"""Alternatives asked for; what was said is nearly always among the first twenty."""
ONSET_SECONDS = 0.6
"""Sound kept while nobody speaks, so that a new grammar also hears the word that just begins."""


# --- The model -----------------------------------------------------------------------------------


class SpeechModel:
    """A Vosk model folder, checked and loaded."""

    def __init__(self, path: Path | str) -> None:
        """Load the model; raises ModelError, naming the file, if one is missing or broken."""
        self.path = Path(path)
        vosk_files.check(self.path)
        self._vosk = _vosk()
        try:
            self._model = self._vosk.Model(str(self.path))
        # Vosk raises a bare Exception.
        except Exception:  # noqa: BLE001
            raise ModelError(f"{self.path}: the speech model cannot be loaded; {FIX}.") from None
        self._known: dict[str, bool] = {}

    def knows(self, word: str) -> bool:
        """Return whether the word is in the model's vocabulary."""
        if word not in self._known:
            self._known[word] = self._model.vosk_model_find_word(word) >= 0
        return self._known[word]

    def recogniser(self, grammar: str) -> Any:
        """Return a KaldiRecognizer for a grammar in JSON. Raises ModelError."""
        try:
            made = self._vosk.KaldiRecognizer(self._model, RATE, grammar)
        except Exception:  # noqa: BLE001
            raise ModelError(f"{self.path}: the speech model cannot decode; {FIX}.") from None
        made.SetWords(True)
        made.SetMaxAlternatives(ALTERNATIVES)
        return made


def _vosk() -> Any:
    try:
        import vosk
    except (ImportError, OSError) as error:
        advice = "sudo apt install libatomic1" if "libatomic" in str(error) else "script/setup"
        raise ModelError(
            f"The Python package vosk cannot be loaded ({error}); try: {advice}."
        ) from None
    vosk.SetLogLevel(-2)
    return vosk


# --- The recogniser ------------------------------------------------------------------------------


class VoskRecogniser:
    """Vosk behind a grammar that may change at any time."""

    def __init__(
        self,
        model: SpeechModel,
        phrases: Iterable[str],
        stable_seconds: float = STABLE_SECONDS,
        homophones: Homophones | None = None,
    ) -> None:
        """Listen for whole phrases, lower case, numbers in words. Raises ModelError."""
        self._model = model
        self._homophones = homophones or Homophones()
        self._stability = _Stability(stable_seconds)
        self._grammar = self._compiled(phrases)
        self._waiting: str | None = None
        self._recogniser = model.recogniser(self._grammar)
        self._fed_samples = 0
        self._began_samples = 0
        """Where in the stream Vosk's own time begins."""
        self._text = ""
        self._reported = ("", 0)
        self._recent = np.zeros(0, np.int16)

    @property
    def at_seconds(self) -> float:
        """Seconds of sound fed so far."""
        return self._fed_samples / RATE

    def feed(self, samples: Samples) -> list[Hypothesis]:
        """Take the next sound, int16 at 16 kHz; return new partial and final hypotheses.

        A partial one comes when its text changes or more of it becomes stable. The result does not
        depend on the size of the blocks, except when partial ones come. Raises
        RecogniserError.
        """
        if samples.dtype != np.int16 or samples.ndim != 1:
            raise RecogniserError("The recogniser takes flat 16-bit samples.")
        if not len(samples):
            return []
        if not self._text:
            self._switch()
        self._fed_samples += len(samples)
        return self._accept(samples)

    def listen(self, phrases: Iterable[str]) -> None:
        """Switch to other phrases, once no utterance is in progress."""
        grammar = self._compiled(phrases)
        self._waiting = grammar if grammar != self._grammar else None

    def finish(self) -> list[Hypothesis]:
        """Close the utterance in progress and return its final hypothesis, if there is one."""
        return self._close(self._recogniser.FinalResult())

    def again(self, samples: Samples) -> Hypothesis | None:
        """Decode a part of the utterance that has just ended again, in the same grammar.

        The times of its words are meaningless. Raises RecogniserError.
        """
        self._take(samples)
        found = self._alternatives(json.loads(self._recogniser.FinalResult())["alternatives"])
        self._began_samples -= len(samples)
        return Hypothesis.ended(found, self.at_seconds) if found else None

    def _accept(self, samples: Samples) -> list[Hypothesis]:
        if self._take(samples):
            return self._close(self._recogniser.Result())
        heard = self._partial(json.loads(self._recogniser.PartialResult()).get("partial", ""))
        keep = round(ONSET_SECONDS * RATE)
        self._recent = np.concatenate([self._recent, samples])[-keep:]
        return heard

    def _take(self, samples: Samples) -> bool:
        """Let Vosk decode; return whether the utterance has ended with it."""
        try:
            return bool(self._recogniser.AcceptWaveform(samples.tobytes()))
        except Exception:  # noqa: BLE001
            raise RecogniserError("The recogniser could not take in the sound.") from None

    def _partial(self, text: str) -> list[Hypothesis]:
        self._text = text
        self._stability.see(text.split(), self.at_seconds)
        known, self._reported = self._reported, (text, self._stability.count)
        if not text or known == self._reported:
            return []
        heard = " ".join(self._homophones.settled(text.split()))
        return [Hypothesis(heard, (), False, self.at_seconds, self._stability.count)]

    def _close(self, result: str) -> list[Hypothesis]:
        """Return the hypothesis of an ended utterance, if there is one."""
        found = self._alternatives(json.loads(result)["alternatives"])
        self._text = ""
        self._stability.clear()
        self._recent = self._recent[:0]
        return [Hypothesis.ended(found, self.at_seconds)] if found else []

    def _alternatives(self, entries: list[dict[str, Any]]) -> tuple[Alternative, ...]:
        """Return the alternatives, each text once; none if silence was the likeliest."""
        found: dict[str, Alternative] = {}
        for entry in entries:
            behind = float(entries[0]["confidence"]) - float(entry["confidence"])
            alternative = Alternative(self._words(entry), max(0.0, behind))
            found.setdefault(alternative.text, alternative)
        return () if "" in found and not found[""].behind else tuple(found.values())

    def _words(self, entry: dict[str, Any]) -> tuple[Word, ...]:
        """Return words with their times in the stream as it was fed."""
        timed = entry.get("result", ())
        began_seconds = self._began_samples / RATE
        texts = self._homophones.settled([word["word"] for word in timed])
        return tuple(
            Word(text, float(word["start"]) + began_seconds, float(word["end"]) + began_seconds)
            for text, word in zip(texts, timed, strict=True)
        )

    def _switch(self) -> None:
        """Start a new utterance with the waiting grammar."""
        if self._waiting is None:
            return
        # Not SetGrammar(): see the top. A new recogniser frees the old one's graph, no slower.
        self._recogniser = self._model.recogniser(self._waiting)
        self._grammar, self._waiting = self._waiting, None
        self._stability.clear()
        # What was just heard may be the first half of a word, so the new grammar hears it too.
        again, self._recent = self._recent, self._recent[:0]
        self._began_samples = self._fed_samples - len(again)
        if len(again):
            self._accept(again)
        self._reported = ("", 0)

    def _compiled(self, phrases: Iterable[str]) -> str:
        """Return Vosk's grammar: the phrases whose words it knows, and the word for all others.

        A phrase that is listed twice is twice as likely.
        """
        fit = (" ".join(phrase.split()) for phrase in phrases)
        known = sorted(p for p in fit if p and all(map(self._model.knows, p.split())))
        return json.dumps([*known, UNKNOWN])


class _Stability:
    """Since when each word of a growing hypothesis has been at its place."""

    def __init__(self, needed_seconds: float) -> None:
        self._needed_seconds = needed_seconds
        self._words: list[str] = []
        self._since_seconds: list[float] = []
        self.count = 0

    def see(self, words: list[str], at_seconds: float) -> None:
        same = 0
        for before, now in zip(self._words, words, strict=False):
            if before != now:
                break
            same += 1
        fresh = [at_seconds] * (len(words) - same)
        self._words, self._since_seconds = words, self._since_seconds[:same] + fresh
        # Slightly less, because block lengths do not add up exactly.
        needed = self._needed_seconds - 1e-6
        self.count = sum(at_seconds - since >= needed for since in self._since_seconds)

    def clear(self) -> None:
        self._words, self._since_seconds, self.count = [], [], 0
