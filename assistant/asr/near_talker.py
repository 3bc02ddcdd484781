"""Who speaks near the microphone, told from the talk behind: by loudness.

A crowd, a television or other runners are heard as words too, before, after and between those of
the person with the microphone. The utterance ends when only the talk behind goes on (the recogniser
itself would wait for silence), is heard once more without what was before and after it, and what
nobody near has said is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

import numpy as np

from assistant.asr.hypothesis import RATE, Hypothesis, Recogniser
from assistant.asr.loudness import FRAME_SAMPLES, LOUD_FRAMES, Loudness, decibels, loudest, smoothed
from assistant.audio.pcm import Samples

_PAUSE_FRAMES = 60
"""A little more than the recogniser waits for silence after a phrase (rule 3 of model.conf)."""
_PAUSE_DB = 12.0
"""So much quieter than the loudest speech is a pause. Of 265 lines one was cut short so (at 8 dB
13, at 10 one). In a babble at 10 dB there was never a pause of 16 dB in 173 of them, at 12 in 40;
at 10 in 9, but readers' talk falls to pieces then, and more of it makes sense by chance."""

_ALONE_DB = 2.0
_CROWDED_DB = 10.0
_OUT_DB = 8.0
"""What stands out by less than `_ALONE_DB`, and so much of `_CROWDED_DB` more as words are heard in
the talk behind, but at most `_OUT_DB`, is talk behind."""
_FAR_DB = 7.0
_FAR_OUT_DB = 10.0
"""So is what stands out by less than this, if it is so much quieter than who spoke last."""
_LAST_FRAMES = 500
"""For so long who spoke last is the measure."""

_TALK_BEHIND = 0.15
"""The share of words in the quiet (see `Loudness.talk_behind`) from which on people talk there."""
_TALK_FAR_BEHIND = 0.05
"""The same where it is quieter around by `_QUIET_AROUND_DB`. To hear again where nobody talks
behind finds sense in what others read: 25 commands in 16 minutes, 16 with this, 14 without."""
_QUIET_AROUND_DB = 12.0
_ENDS_DB = 16.0
"""At the ends of what was said so much below its loudest is somebody else's, or not speech."""
_HEARD_DB = 32.0
"""Further below, nothing is heard as words."""
_SPAN_SMOOTH_FRAMES = 20
_WITHIN_FRAMES = 50
"""A longer gap is not within what one says."""
_MARGIN_FRAMES = 25
_MARGIN_DB = 30.0
"""By so much the sound around fades within the margin: one's own first sounds may be weak."""
_SECOND = 1.0
"""How much less likely (see `Alternative.behind`) an utterance is with what is around it, or what
is heard without that where nothing known was heard with it."""
_SILENCE: Samples = np.zeros(RATE // 2, np.int16)


class Listener(Recogniser, Protocol):
    """A recogniser that hears a part of what it has just heard by itself."""

    def again(self, samples: Samples) -> Hypothesis | None:
        """Hear a part of the utterance that has just ended, in the same grammar."""
        ...


class NearTalker:
    """A recogniser that hears the nearest of several talkers."""

    def __init__(self, recogniser: Listener) -> None:
        self._recogniser = recogniser
        self.forget()

    def forget(self) -> None:
        """Begin anew, as in another room: nothing that was heard is kept."""
        self._loudness = Loudness()
        self._begun = 0
        """Frame at which the last utterance had ended."""
        self._is_heard = False
        """True while an utterance has words and has not ended."""
        self._last_power, self._last_at = 0.0, 0
        """How loud who spoke last was, and the frame at which they had ended."""

    def listen(self, phrases: Iterable[str]) -> None:
        """Say what may be heard from now on."""
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
        """Tell whether the loudest talker of this utterance has been silent for a pause."""
        said = self._loudness.powers(self._begun, self._loudness.frames)
        if len(said) < _PAUSE_FRAMES + LOUD_FRAMES:
            return False
        # The mean, for the talk behind has its own loud moments.
        pause = float(np.mean(said[-_PAUSE_FRAMES:]))
        return pause < loudest(said[:-_PAUSE_FRAMES]) / 10 ** (_PAUSE_DB / 10)

    def _is_behind(self) -> bool:
        """Tell whether what is being said is part of what goes on all the time."""
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
        """Return what was said near; with all that is around it is less likely.

        Less likely, but not out of the question: one's own last word may be a weak one.
        """
        self._last_power, self._last_at = self._power(), self._loudness.frames
        span = self._span()
        near = self._recogniser.again(self._alone(*span)) if span else None
        if near is None:
            return whole
        # Where nothing known was heard, sense is not to be found by listening harder.
        likelier, other = (whole, near) if whole.is_unknown else (near, whole)
        found = {same.text: same for same in likelier.alternatives}
        for second in other.alternatives:
            found.setdefault(second.text, replace(second, behind=second.behind + _SECOND))
        ranked = sorted(found.values(), key=lambda alternative: alternative.behind)
        return Hypothesis.ended(tuple(ranked), whole.at_seconds)

    def _span(self) -> tuple[int, int] | None:
        """Return the frames in which the loudest spoke, or None if there is nothing around it."""
        last = self._loudness.frames
        said = self._loudness.powers(self._begun, last)
        loud, around = loudest(said), self._loudness.around()
        least = _TALK_BEHIND if decibels(loud, around) < _QUIET_AROUND_DB else _TALK_FAR_BEHIND
        if not loud or (around and self._loudness.talk_behind() < least):
            return None
        smooth = smoothed(said, _SPAN_SMOOTH_FRAMES)
        # Halfway between the talker and what is around, but not far below the talker.
        limit = max(loud / 10 ** (_ENDS_DB / 10), float(np.sqrt(loud * around)))
        begin, end = _run(smooth >= limit, int(np.argmax(smooth)))
        begin, end = max(0, begin - _MARGIN_FRAMES), min(len(said), end + _MARGIN_FRAMES)
        outside = np.concatenate([smooth[:begin], smooth[end:]])
        if not np.any(outside > loud / 10 ** (_HEARD_DB / 10)):
            return None
        return last - len(said) + begin, last - len(said) + end

    def _alone(self, first: int, last: int) -> Samples:
        """Return the sound of some frames in silence, fading in and out."""
        sound = self._loudness.sound(first, last).astype(np.float64)
        fade = min(_MARGIN_FRAMES * FRAME_SAMPLES, len(sound) // 2)
        rising = 10 ** (np.linspace(-_MARGIN_DB, 0, fade) / 20)
        sound[:fade] *= rising
        sound[len(sound) - fade :] *= rising[::-1]
        return np.concatenate([_SILENCE, sound.astype(np.int16), _SILENCE])


def _run(is_near: np.ndarray[tuple[int], np.dtype[np.bool_]], top: int) -> tuple[int, int]:
    """Return the first frame of the near ones around one of them, and that behind the last."""
    near = np.flatnonzero(is_near)
    if not len(near):
        return top, top + 1
    parts = np.split(near, np.flatnonzero(np.diff(near) > _WITHIN_FRAMES) + 1)
    part = min(parts, key=lambda part: float(np.min(np.abs(part - top))))
    return int(part[0]), int(part[-1]) + 1
