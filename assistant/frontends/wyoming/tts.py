"""The `tts` service: text from Home Assistant in Charley's voice, counts on whole seconds."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event

from assistant.audio.pcm import DEFAULT_RATE, Samples
from assistant.audio.shaping import resample
from assistant.dialogue.hold import Hold
from assistant.playback.clip_queue import BREATH_SECONDS
from assistant.playback.count_track import render_hold
from assistant.session.shared import SharedParts
from assistant.session.text_turns import PAUSE
from assistant.tts.cache import level
from assistant.tts.synthesiser import Synthesiser, is_speakable

_CHUNK_SAMPLES = 1024
_WIDTH = 2
_FEWEST_COUNTS = 3
"""Numbers in a row that make a hold."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


def spoken(parts: SharedParts, text: str, voice_name: str = "") -> Samples:
    """Return a text as sound; a run of counts has one at each whole second, then the end chime.

    An unknown voice is the usual one. What cannot be spoken, such as an emoji, is passed over.
    Raises SynthesiserError.
    """
    voices = parts.speakers
    voice = voices.get(voice_name) or next(iter(voices.values()))
    breath = np.zeros(round(BREATH_SECONDS * DEFAULT_RATE), np.int16)
    pieces: list[Samples] = []
    for sentence in filter(is_speakable, _SENTENCE.split(_kept_together(text))):
        counts = _counts(sentence, parts.language.pack.prompts.numbers)
        pieces += [_counted(counts, voice) if counts else _said(sentence, voice), breath]
    return np.concatenate(pieces[:-1] or [np.zeros(0, np.int16)])


def _kept_together(text: str) -> str:
    """Write pauses so that no sentence seems to end in them."""
    return text.replace(PAUSE, "… ")


def _counts(sentence: str, numbers: tuple[str, ...]) -> list[str]:
    """Return the counts that a sentence consists of; none if it is another sentence."""
    words = [word.strip().lower() for word in sentence.rstrip(".").split("…")]
    is_hold = len(words) >= _FEWEST_COUNTS and all(word in numbers for word in words)
    return words if is_hold else []


def _counted(counts: list[str], voice: Synthesiser) -> Samples:
    return render_hold(Hold(len(counts)), ("", *counts), voice).samples


def _said(sentence: str, voice: Synthesiser) -> Samples:
    return resample(level(voice.render(sentence)), DEFAULT_RATE).samples


def messages(sound: Samples) -> Iterator[Event]:
    """Yield sound as messages, start and stop included."""
    yield AudioStart(DEFAULT_RATE, _WIDTH, 1, timestamp=0).event()
    for at in range(0, len(sound), _CHUNK_SAMPLES):
        chunk = sound[at : at + _CHUNK_SAMPLES].astype("<i2").tobytes()
        yield AudioChunk(DEFAULT_RATE, _WIDTH, 1, chunk, 1000 * at // DEFAULT_RATE).event()
    yield AudioStop(1000 * len(sound) // DEFAULT_RATE).event()
