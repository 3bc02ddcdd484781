"""The earcons: short tones that mean "heard", "missed", "I go quiet" and "that was the end"."""

import numpy as np

from assistant.audio.pcm import DEFAULT_RATE, Pcm, to_int16
from assistant.audio.shaping import fade

CHIMES: dict[str, tuple[tuple[float, float, float], ...]] = {
    # (hertz, begins at seconds, loudness); rising means "go on", falling "I wait".
    # Those that may sound during speech leave it headroom (tts.cache.SPEECH_PEAK).
    "heard": ((880.0, 0.0, 0.10),),
    "missed": ((392.0, 0.0, 0.10),),
    "quiet": ((587.3, 0.0, 0.09), (440.0, 0.14, 0.09)),
    "end": ((659.3, 0.0, 0.16), (880.0, 0.16, 0.16)),
    "tick": ((1318.5, 0.0, 0.10),),  # instead of words that could not be spoken
}
NOTE_SECONDS = 0.32
"""Length of one note."""


def chime(name: str, rate: int = DEFAULT_RATE) -> Pcm:
    """Return an earcon; raises KeyError for another name."""
    notes = CHIMES[name]
    note_samples = round(NOTE_SECONDS * rate)
    out = np.zeros(round(notes[-1][1] * rate) + note_samples)
    time = np.arange(note_samples) / rate
    envelope = np.minimum(time / 0.008, 1.0) * np.exp(-time / 0.07)
    for hertz, begins_seconds, loudness in notes:
        # Some of the octave makes it audible on small loudspeakers.
        wave = np.sin(2 * np.pi * hertz * time) + 0.25 * np.sin(4 * np.pi * hertz * time)
        first = round(begins_seconds * rate)
        out[first : first + note_samples] += loudness * envelope * wave
    return fade(Pcm(to_int16(out), rate), out_seconds=0.02)
