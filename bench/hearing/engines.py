"""Recognisers to compare, each with the same phrases: Vosk with any model, and PocketSphinx."""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from assistant.audio.pcm import to_int16
from assistant.speech_models.lexicon import Lexicon
from bench.hearing.corpus import RATE, Samples, blocks

UNKNOWN = "[unk]"
BLOCK = 1600
"""Samples that a recogniser gets at a time."""


class Listener(Protocol):
    """Recognises one of some phrases, or nothing."""

    audio_seconds: float
    busy_seconds: float

    def hear(self, samples: Samples, *, whole: bool = False) -> str:
        """Return the words that were heard, without the unknown ones; "" for nothing.

        A pause inside `whole` samples does not end the utterance.
        """


class Engine(Protocol):
    """A recogniser with its model."""

    name: str
    load_seconds: float
    size_bytes: int

    def listener(self, phrases: Iterable[str], rejection: float = 0.0) -> Listener:
        """Return a listener; `rejection` 0 is the default, and each step rejects more."""


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


class Vosk:
    """Vosk with a model's folder; `[unk]` in the grammar rejects."""

    def __init__(self, name: str, folder: Path) -> None:
        import vosk

        vosk.SetLogLevel(-2)
        begun = time.perf_counter()
        self.model = vosk.Model(str(folder))
        self.load_seconds = time.perf_counter() - begun
        self.name, self.folder, self.size_bytes = name, folder, size_of(folder)

    def listener(self, phrases: Iterable[str], rejection: float = 0.0) -> Listener:
        """Return a listener; `[unk]` stands twice as often in its grammar for each step."""
        known = [p for p in phrases if all(map(self._knows, p.split()))]
        return _VoskListener(self.model, [*known, *[UNKNOWN] * round(2**rejection)])

    def _knows(self, word: str) -> bool:
        return bool(self.model.vosk_model_find_word(word) >= 0)


class _VoskListener:
    def __init__(self, model: Any, phrases: list[str]) -> None:
        import vosk

        self._recogniser = vosk.KaldiRecognizer(model, RATE, json.dumps(phrases))
        self.audio_seconds = self.busy_seconds = 0.0

    def hear(self, samples: Samples, *, whole: bool = False) -> str:
        begun = time.process_time()
        heard = self._recogniser
        size = len(samples) if whole else BLOCK
        texts = [
            heard.Result()
            for block in blocks(samples, size)
            if heard.AcceptWaveform(block.tobytes())
        ]
        texts.append(heard.FinalResult())
        self.busy_seconds += time.process_time() - begun
        self.audio_seconds += len(samples) / RATE
        words = " ".join(str(json.loads(text)["text"]) for text in texts).split()
        return " ".join(word for word in words if word != UNKNOWN)


class PocketSphinx:
    """PocketSphinx with the US English model of its package and a JSGF grammar.

    A grammar of its kind always hears one of its phrases; a keyword list rejects.
    """

    name = "PocketSphinx 5"

    def __init__(self) -> None:
        import pocketsphinx

        begun = time.perf_counter()
        self._make(lm=None)
        self.load_seconds = time.perf_counter() - begun
        self.size_bytes = size_of(Path(pocketsphinx.get_model_path()))
        self._lexicon = Lexicon()

    def _make(self, **options: Any) -> Any:
        from pocketsphinx import Decoder

        return Decoder(loglevel="FATAL", **options)

    def listener(self, phrases: Iterable[str], rejection: float = 0.0) -> Listener:
        """Return a listener by grammar, or by keywords whose threshold rises with each step."""
        wanted = list(phrases)
        decoder = self._make(lm=None)
        for word in sorted({word for phrase in wanted for word in phrase.split()}):
            if decoder.lookup_word(word) is None:
                for phones in self._lexicon.spoken(word).pronunciations[:1]:
                    decoder.add_word(word, " ".join(phones), False)
        if rejection:
            power = round(-30 + 5 * math.log2(rejection))
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "words"
                path.write_text("".join(f"{phrase} /1e{power}/\n" for phrase in wanted))
                decoder.add_kws("words", str(path))
        else:
            choice = " | ".join(wanted)
            decoder.add_jsgf_string("words", f"#JSGF V1.0; grammar g; public <p> = {choice};")
        decoder.activate_search("words")
        return _SphinxListener(decoder)


class _SphinxListener:
    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self.audio_seconds = self.busy_seconds = 0.0

    def hear(self, samples: Samples, *, whole: bool = True) -> str:  # noqa: ARG002 - never ended
        begun = time.process_time()
        self._decoder.start_utt()
        self._decoder.process_raw(to_int16(samples).tobytes(), full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        self.busy_seconds += time.process_time() - begun
        self.audio_seconds += len(samples) / RATE
        # A keyword list returns everything found, the last first.
        return " ".join(found.hypstr.split("  ")[0].split()) if found else ""
