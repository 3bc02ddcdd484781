"""Tells the speech of the person at the microphone from talk in the background, by loudness.

A crowd, a television or other runners are heard as words too, before, after and between those of
the person at the microphone. An utterance ends when only the talk in the background continues (the
recogniser itself would wait for silence). It is then decoded once more without the sound before and
after it, and utterances of nobody near are dropped. Decisions are made on powers of frames; what
works on whole arrays is at the end of the file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from assistant.asr.hypothesis import RATE, Hypothesis, Recogniser
from assistant.asr.loudness import FRAME_SAMPLES, LOUD_FRAMES, Loudness, decibels, loudest, smoothed
from assistant.audio.pcm import Samples

_PAUSE_FRAMES = 60
"""0.6 s, a little more than the recogniser waits after a phrase (rule 3 of model.conf)."""
_PAUSE_DB = 12.0
"""Sound this much quieter than the loudest speech is a pause. Lower cuts lines short, higher finds
no pause in a babble (bench/hearing/accuracy.py)."""

_ALONE_DB = 2.0
_CROWDED_DB = 10.0
_OUT_DB = 8.0
"""Speech that stands out from the background by less than this is background talk: `_ALONE_DB`,
plus `_CROWDED_DB` times the share of background time with words, at most `_OUT_DB`."""
_FAR_DB = 7.0
_FAR_OUT_DB = 10.0
"""So is speech that stands out by less than `_FAR_OUT_DB` and is `_FAR_DB` quieter than the last
near talker."""
_LAST_FRAMES = 500
"""How long the last near talker counts for that: 5 s."""

_TALK_BEHIND = 0.15
"""Share of words (see `Loudness.talk_behind`) above which people talk in the background."""
_TALK_FAR_BEHIND = 0.05
"""The same where the background is quieter by `_QUIET_AROUND_DB`. A lower share decodes more
utterances again, and finds commands in what others read (bench/hearing/accuracy.py)."""
_QUIET_AROUND_DB = 12.0
_ENDS_DB = 16.0
"""Sound at an utterance's ends this far below its loudest is somebody else's, or not speech."""
_HEARD_DB = 32.0
"""Sound this far below the loudest is not recognised as words."""
_SPAN_SMOOTH_FRAMES = 20
_WITHIN_FRAMES = 50
"""0.5 s; a longer gap separates two utterances."""
_MARGIN_FRAMES = 25
_MARGIN_DB = 30.0
"""How far the sound fades within the margin, where one's own weak first sounds may be."""
_SECOND = 1.0
"""How much less likely (see `Alternative.behind`) the second of the two decodings is: that of the
whole sound, or that of the near part where the whole had no known words."""


class Listener(Recogniser, Protocol):
    """A recogniser that can decode a part of what it has just heard."""

    def again(self, samples: Samples) -> Hypothesis | None:
        """Hear a part of the utterance that has just ended, in the same grammar."""
        ...


class NearTalker:
    """A recogniser that hears the nearest of several talkers."""

    def __init__(self, recogniser: Listener) -> None:
        self._recogniser = recogniser
        self.forget()

    def forget(self) -> None:
        """Begin again, as in another room: nothing that was heard is kept."""
        self._loudness = Loudness()
        self._begun = 0
        """Frame at which the last utterance had ended."""
        self._is_heard = False
        """True while an utterance has words and has not ended."""
        self._last_power, self._last_at = 0.0, 0
        """Power of the last near talker, and the frame at which they ended."""

    def listen(self, phrases: Iterable[str]) -> None:
        """Set the phrases that can be heard from now on."""
        self._recogniser.listen(phrases)

    def feed(self, samples: Samples) -> list[Hypothesis]:
        """Take the next sound, int16 at 16 kHz; return what is new."""
        self._loudness.add(samples)
        heard = self._recogniser.feed(samples)
        if heard:
            self._is_heard = not heard[-1].final
        self._loudness.note(has_words=self._is_heard)
        found = self._noted(heard)
        if self._is_heard and self._is_over():
            found += self.finish()
        return found

    def finish(self) -> list[Hypothesis]:
        """Close the utterance in progress; the stream may go on."""
        self._is_heard = False
        return self._noted(self._recogniser.finish())

    def _noted(self, found: list[Hypothesis]) -> list[Hypothesis]:
        near = []
        for hypothesis in found:
            is_behind = self._is_behind()
            if not hypothesis.final:
                near += [] if is_behind else [hypothesis]
                continue
            ended = Hypothesis.nothing(hypothesis.at_seconds)
            near.append(ended if is_behind else self._ended(hypothesis))
            self._begun = self._loudness.frames
        return near

    def _is_over(self) -> bool:
        """Return whether the loudest talker of this utterance has been silent for a pause."""
        said = self._loudness.powers(self._begun, self._loudness.frames)
        if len(said) < _PAUSE_FRAMES + LOUD_FRAMES:
            return False
        # The mean, because background talk has its own loud moments.
        pause = _mean(said[-_PAUSE_FRAMES:])
        return pause < loudest(said[:-_PAUSE_FRAMES]) / 10 ** (_PAUSE_DB / 10)

    def _is_behind(self) -> bool:
        """Return whether what is being said is part of the background."""
        around = self._loudness.around()
        if not around:
            return False
        power = self._power()
        stands_out = decibels(power, around)
        is_recent = self._loudness.frames - self._last_at < _LAST_FRAMES
        if is_recent and decibels(power, self._last_power) < -_FAR_DB and stands_out < _FAR_OUT_DB:
            return True
        needed = _ALONE_DB + _CROWDED_DB * self._loudness.talk_behind()
        return stands_out < min(_OUT_DB, needed)

    def _power(self) -> float:
        return loudest(self._loudness.powers(self._begun, self._loudness.frames))

    def _ended(self, whole: Hypothesis) -> Hypothesis:
        """Return the alternatives of the near part, then those of the whole sound as less likely.

        They stay possible, because one's own last word may be a weak one.
        """
        self._last_power, self._last_at = self._power(), self._loudness.frames
        span = self._span()
        near = self._recogniser.again(self._alone(*span)) if span else None
        if near is None:
            return whole
        # If the whole has no known words, those found in a part of it are less likely.
        likelier, other = (whole, near) if whole.is_unknown else (near, whole)
        found = {same.text: same for same in likelier.alternatives}
        for second in other.alternatives:
            found.setdefault(second.text, replace(second, behind=second.behind + _SECOND))
        ranked = sorted(found.values(), key=lambda alternative: alternative.behind)
        return Hypothesis.ended(tuple(ranked), whole.at_seconds)

    def _span(self) -> tuple[int, int] | None:
        """Return the frames in which the loudest spoke, or None if nobody talked around it."""
        last = self._loudness.frames
        said = self._loudness.powers(self._begun, last)
        loud, around = loudest(said), self._loudness.around()
        least = _TALK_BEHIND if decibels(loud, around) < _QUIET_AROUND_DB else _TALK_FAR_BEHIND
        if not loud or (around and self._loudness.talk_behind() < least):
            return None
        smooth = smoothed(said, _SPAN_SMOOTH_FRAMES)
        # Halfway between the talker and what is around, but not far below the talker.
        limit = max(loud / 10 ** (_ENDS_DB / 10), math.sqrt(loud * around))
        begin, end = _run_around_peak(smooth, limit)
        begin, end = max(0, begin - _MARGIN_FRAMES), min(len(said), end + _MARGIN_FRAMES)
        if _peak_outside(smooth, begin, end) <= loud / 10 ** (_HEARD_DB / 10):
            return None
        return last - len(said) + begin, last - len(said) + end

    def _alone(self, first: int, last: int) -> Samples:
        """Return the sound of some frames in silence, fading in and out."""
        return _in_silence(self._loudness.sound(first, last), _MARGIN_FRAMES * FRAME_SAMPLES)


# --- Arrays --------------------------------------------------------------------------------------

_Powers = npt.NDArray[np.float64]
_SILENCE: Samples = np.zeros(RATE // 2, np.int16)


def _mean(powers: _Powers) -> float:
    return float(np.mean(powers))


def _peak_outside(powers: _Powers, begin: int, end: int) -> float:
    """Return the highest power before and after a stretch; 0 if there is nothing outside."""
    return float(np.concatenate([powers[:begin], powers[end:]]).max(initial=0.0))


def _in_silence(sound: Samples, longest_fade: int) -> Samples:
    """Return a sound that fades in and out by `_MARGIN_DB`, in half a second of silence."""
    faded = sound.astype(np.float64)
    fade = min(longest_fade, len(faded) // 2)
    rising = 10 ** (np.linspace(-_MARGIN_DB, 0, fade) / 20)
    faded[:fade] *= rising
    faded[len(faded) - fade :] *= rising[::-1]
    return np.concatenate([_SILENCE, faded.astype(np.int16), _SILENCE])


def _run_around_peak(powers: _Powers, limit: float) -> tuple[int, int]:
    """Return the first and the end frame of the stretch above a limit that is nearest the peak.

    It may have gaps of at most `_WITHIN_FRAMES`.
    """
    top = int(np.argmax(powers))
    near = np.flatnonzero(powers >= limit)
    if not len(near):
        return top, top + 1
    parts = np.split(near, np.flatnonzero(np.diff(near) > _WITHIN_FRAMES) + 1)
    part = min(parts, key=lambda part: float(np.min(np.abs(part - top))))
    return int(part[0]), int(part[-1]) + 1
