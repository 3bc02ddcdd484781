"""A hold as sound: number words that begin exactly on their cues, then the end chime."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from assistant.audio.earcons import chime
from assistant.audio.pcm import DEFAULT_RATE, Pcm, Samples
from assistant.audio.shaping import fade, lift_onset, resample, trim_silence
from assistant.dialogue.hold import Hold
from assistant.playback.clip import CLEARANCE_SECONDS, Clip, ClipWord
from assistant.tts.synthesiser import Synthesiser

CHIME_GAP_SECONDS = 0.1
"""Silence between the last count and the end chime."""
COUNT_PACES = (1.0, 1.3, 1.7, 2.2)
"""A number that is too long for its beat is spoken faster; at the last pace it is cut."""
COUNT_ONSET = 0.1
"""A count begins with its first sample of this level, relative to its loudest."""


def count_word(text: str, voice: Synthesiser, rate: int, limit_samples: int) -> Samples:
    """Return a spoken number whose first sample is its audible onset, at most so long."""
    for pace in COUNT_PACES:
        word = _sharp(voice.render(text, pace), rate)
        if len(word) <= limit_samples:
            return word.samples
    return fade(Pcm(word.samples[:limit_samples], rate), out_seconds=0.01).samples


def _sharp(spoken: Pcm, rate: int) -> Pcm:
    """Return the word with its onset lifted and cut clean, so that its beat is where it begins."""
    lifted = lift_onset(trim_silence(resample(spoken, rate)))
    return fade(trim_silence(lifted, onset=COUNT_ONSET), out_seconds=0.005)


def hold_clip(
    hold: Hold, names: Sequence[str], rate: int, sound: Callable[[str, int], Samples]
) -> Clip:
    """Return a hold as a clip: counts on their cues, the end chime after the last one.

    `names` are the spoken number words, by number; `sound` speaks one in at most so many samples.
    """
    limit = max(1, round((hold.beat - CLEARANCE_SECONDS) * rate))
    words = [
        ClipWord(cue.at_samples, sound(names[cue.number], limit), names[cue.number], count=True)
        for cue in hold.cues(rate)
    ]
    length = hold.length_samples(rate)
    if words:
        words[-1] = replace(words[-1], fixed=True)
        length = words[-1].end + round(CHIME_GAP_SECONDS * rate)
    end = ClipWord(length, chime("end", rate).samples, "", fixed=True)
    return Clip(end.end, [*words, end], hold=hold, hold_samples=hold.length_samples(rate))


def render_hold(
    hold: Hold, names: Sequence[str], voice: Synthesiser, rate: int = DEFAULT_RATE
) -> Pcm:
    """Return a whole hold as sound: counts exactly on their cues, then the end chime.

    `names` are the spoken number words; the index is the number.
    """
    clip = hold_clip(hold, names, rate, lambda text, limit: count_word(text, voice, rate, limit))
    return Pcm(clip.mix(0, clip.length).astype(np.int16), rate)
