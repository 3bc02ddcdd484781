"""A voice that never fails: for what it cannot speak it returns a tick and time to read."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from assistant.audio.earcons import chime
from assistant.audio.pcm import Pcm, concatenate, silence
from assistant.audio.shaping import resample
from assistant.errors import SynthesiserError
from assistant.tts.synthesiser import Synthesiser

WORDS_PER_SECOND = 2.7
"""How fast a line is read on the screen instead."""


class FallbackVoice:
    """Another voice, and a stand-in for each line that it fails to speak.

    So the timeline continues: its lines are shown as captions, and a hold is counted in ticks.
    Prepared lines are spoken whatever happens to the engine later.
    """

    def __init__(self, voice: Synthesiser, notice: str, on_failed: Callable[[], None]) -> None:
        """`notice` is spoken, if it was prepared, before the first stand-in of a failure."""
        self._voice = voice
        self._notice = notice
        self._on_failed = on_failed
        self._prepared: dict[tuple[str, float], Pcm] = {}
        self._failed: tuple[str, float] | None = None

    @property
    def has_failed(self) -> bool:
        """True from the first line that could not be spoken until one can again."""
        return self._failed is not None

    def prepare(self, texts: Iterable[str], paces: Iterable[float] = (1.0,)) -> None:
        """Keep lines for when the voice fails; those that cannot be spoken now are left out."""
        for text in texts:
            for pace in paces:
                try:
                    self._prepared[text, pace] = self._voice.render(text, pace)
                except SynthesiserError:
                    return

    def render(self, text: str, pace: float = 1.0) -> Pcm:
        """Return the spoken text, or its stand-in."""
        known = self._prepared.get((text, pace))
        if known is not None:
            return known
        try:
            return self._voice.render(text, pace)
        except SynthesiserError:
            return self._instead(text, pace)

    def try_again(self) -> bool:
        """Try what failed once more; True if the voice speaks again."""
        if self._failed is None:
            return True
        try:
            self._voice.render(*self._failed)
        except SynthesiserError:
            return False
        self._failed = None
        return True

    def _instead(self, text: str, pace: float) -> Pcm:
        parts = [_tick(text)]
        if self._failed is None:
            self._failed = (text, pace)
            notice = self._prepared.get((self._notice, 1.0))
            parts = [resample(notice, parts[0].rate), *parts] if notice else parts
            self._on_failed()
        return concatenate(parts)


def _tick(text: str) -> Pcm:
    """Return a soft tick; a line also gets the silence in which it can be read."""
    tick = chime("tick")
    words = len(text.split())
    if words < 3:  # a number of a hold, whose next one must not wait
        return tick
    samples = round(words / WORDS_PER_SECOND * tick.rate)
    return concatenate([tick, silence(samples, tick.rate)])
