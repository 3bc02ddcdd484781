"""The one timeline of sound: what is said, counted and chimed, to the sample.

Whoever plays it pulls with `read`: PortAudio's callback, or a loop in step with a file. Time is the
number of samples pulled, so nothing drifts and nothing here waits. Speech is rendered in `perform`,
never in `read`.
"""

import threading
from collections.abc import Callable, Iterator

from assistant.audio.earcons import chime
from assistant.audio.pcm import DEFAULT_RATE, Samples
from assistant.dialogue.actions import (
    Action,
    Chime,
    Count,
    Hush,
    Interject,
    Say,
    SetVoice,
    SetVolume,
    Wait,
)
from assistant.dialogue.hold import Hold
from assistant.playback.clip import CLEARANCE_SECONDS, Clip, ClipWord, end_of_word, line
from assistant.playback.clip_queue import ClipQueue
from assistant.playback.count_track import hold_clip
from assistant.playback.interjection import interjected
from assistant.playback.mixing import (
    FADE_SECONDS,
    Gain,
    Overlay,
    Signal,
    added,
    as_samples,
    ended,
    silent,
)
from assistant.playback.outputs import REACTION_SECONDS
from assistant.playback.play_log import Begun, Finished, PlayLog
from assistant.playback.speech import Speech
from assistant.tts.synthesiser import Synthesiser

IDLE_SECONDS = 1.0
"""After so much silence a Bluetooth output may have fallen asleep and needs its lead-in."""
ECHO_SECONDS = 1.0
"""How long after it was played a word may still reach the recogniser as an echo."""


class Timeline:
    """Perform actions on one timeline of samples.

    `perform` is for one thread (the session), `read` for one other (the sound card).
    """

    def __init__(
        self,
        voice: Synthesiser,
        rate: int = DEFAULT_RATE,
        lead_in_seconds: float = 0.0,
        voices: Callable[[str], Synthesiser] | None = None,
    ) -> None:
        """`rate` in hertz; `lead_in_seconds` of silence wake a Bluetooth output that was idle.

        `voices` makes the voice of a name, for SetVoice; None for a timeline that keeps its own.
        """
        self.rate = rate
        self._lead_in_samples = round(lead_in_seconds * rate)
        self._ramp = max(1, round(FADE_SECONDS * rate))
        self._lock = threading.Lock()
        self._speech = Speech(voice, rate, voices)
        self._queue = ClipQueue()
        self._overlay = Overlay(self._ramp)
        self._gain = Gain(self._ramp)
        self._log = PlayLog()
        self._position = 0
        self._quiet_since: int | None = None
        self._drained = True
        """False while something is queued whose end is waited for."""
        self.on_played: Callable[[Samples], None] | None = None
        """Gets every sample that is played, for an echo canceller; in the sound card's thread."""

    # What the session asks.

    def perform(self, action: Action) -> None:
        """Carry out one action; those that are not about sound do nothing.

        Raises SynthesiserError if a line cannot be spoken; the timeline then stays as it was.
        """
        match action:
            case Say(text=text, pace=pace):
                self._enqueue(line(text, self._speech.line(text, pace)))
            case Chime(name=name):
                self._chime(chime(name, self.rate).samples)
            case Count(hold=hold, words=names):
                self._enqueue(hold_clip(hold, names, self.rate, self._speech.count))
            case Wait(seconds=seconds):
                self._enqueue(Clip(max(0, round(seconds * self.rate))))
            case Interject(text=text):
                self._interject(text)
            case Hush(after_word=after_word):
                self._hush(after_word=after_word)
            case SetVolume(volume=volume):
                self._set_volume(volume)
            case SetVoice(name=name):
                self._speech.choose_voice(name)

    def forget_counts(self) -> None:
        """Render the counts of the next hold again: the voice speaks again after a failure."""
        self._speech.forget_counts()

    def take_finished(self) -> list[Finished]:
        """Return what finished since the last call, earliest first."""
        with self._lock:
            return self._log.take_finished()

    def take_begun(self) -> list[Begun]:
        """Return the words that began to sound since the last call, earliest first."""
        with self._lock:
            return self._log.take_begun()

    @property
    def position_samples(self) -> int:
        """Samples pulled so far."""
        return self._position

    @property
    def hold(self) -> Hold | None:
        """The running hold, until its last count begins."""
        with self._lock:
            clip = self._queue.running_hold
            return clip.hold if clip else None

    @property
    def hold_position_seconds(self) -> float | None:
        """Position in the running hold in seconds; None outside a count."""
        with self._lock:
            clip = self._queue.running_hold
            return clip.at / self.rate if clip else None

    @property
    def lines_left(self) -> int:
        """How many lines were not heard to their end; one that has just begun leaves two."""
        with self._lock:
            return self._queue.lines_left(round(REACTION_SECONDS * self.rate))

    @property
    def is_idle(self) -> bool:
        """True if nothing is left to play."""
        with self._lock:
            return not self._queue

    def speaks_within(self, seconds: float) -> bool:
        """Return whether a line or a hold is played now, or begins within so many seconds."""
        with self._lock:
            return self._queue.speaks_within(round(seconds * self.rate))

    @property
    def due_samples(self) -> int | None:
        """Samples until a hold or all speech finishes next; None if nothing is left to play."""
        with self._lock:
            return self._queue.due_samples

    def ahead(self) -> Samples:
        """Return all that is left to play, without playing it."""
        with self._lock:
            return as_samples(added(self._queue.rest(), self._overlay.left) * self._gain.target)

    def speaking_now(self) -> str:
        """Return the words played now or a moment ago, which an echo may bring back."""
        with self._lock:
            first = self._position - round(ECHO_SECONDS * self.rate)
            return self._log.words_between(first, self._position + self._ramp)

    # What the sound card asks.

    def read(self, frames: int) -> Samples:
        """Return the next samples of the timeline; silence when there is nothing to play."""
        with self._lock:
            out = self._take(frames)
            self._overlay.mix_into(out)
            out *= self._gain.over(self._position, frames)
            self._position += frames
        sound = as_samples(out)
        if self.on_played is not None:
            self.on_played(sound)
        return sound

    def _take(self, frames: int) -> Signal:
        out = silent(frames)
        done = 0
        while self._queue and (done < frames or not self._queue[0].left):
            clip = self._queue[0]
            count = min(frames - done, clip.left)
            out[done : done + count] = clip.mix(clip.at, count)
            self._pass(clip, count, self._position + done)
            done += count
        return out

    def _pass(self, clip: Clip, count: int, position: int) -> None:
        """Note what happens while `count` samples of a clip are played from `position` on."""
        start, end = clip.at, clip.at + count
        for word in clip.words:
            if start <= word.at < end:
                self._log.begin(word, position + word.at - start)
        # The hold ends with the sample *before* which its whole length was played.
        if clip.hold is not None and start <= clip.hold_samples < end:
            self._log.finish("hold", position + clip.hold_samples - start)
        clip.at = end
        if end == clip.length:
            self._queue.popleft()
            self._drained = self._drained and not clip.counts
            if not self._queue:
                self._on_drained(position + count)

    def _on_drained(self, position: int) -> None:
        if not self._drained:
            self._log.finish("speech", position)
        self._drained = True
        self._quiet_since = position

    # Queue and hush.

    def _chime(self, samples: Samples) -> None:
        """Play an earcon at once, on top of what is played."""
        if self.is_idle:
            self._enqueue(Clip(len(samples), [ClipWord(0, samples, "")]))
            return
        with self._lock:
            self._overlay.replace(samples)

    def _enqueue(self, clip: Clip) -> None:
        with self._lock:
            self._queue.extend(self._gap())
            self._queue.add(clip, self.rate)

    def _gap(self) -> Iterator[Clip]:
        """Yield the silence that must come before a sound that starts now."""
        if self._queue:
            return
        if len(self._overlay):
            yield Clip(len(self._overlay), counts=False)
        asleep = self._quiet_since is None or (
            self._position - self._quiet_since >= round(IDLE_SECONDS * self.rate)
        )
        if self._lead_in_samples and asleep:
            yield Clip(self._lead_in_samples, counts=False)

    def _hush(self, *, after_word: bool) -> None:
        with self._lock:
            rest = self._rest_of_word() if after_word else None
            if rest is None:
                self._cut()
            self._queue.clear()
            self._drained = True
            self._quiet_since = self._position
            if rest is not None:
                self._queue.append(rest)

    def _rest_of_word(self) -> Clip | None:
        """Return what is left of the word that sounds now; None between two words."""
        clip = self._queue[0] if self._queue else None
        word = clip.word_now if clip else None
        if clip is None or word is None:
            return None
        rest = clip.mix(clip.at, end_of_word(word, clip.at, self.rate) - clip.at)
        samples = ended(rest, self._ramp)
        return Clip(len(samples), [ClipWord(0, samples, "")], counts=False)

    def _set_volume(self, volume: float) -> None:
        with self._lock:
            self._gain.change(volume, self._position)

    def _cut(self) -> None:
        """Let what sounds now die away over a few milliseconds, on top of the timeline."""
        if self._queue:
            clip = self._queue[0]
            self._overlay.cut(clip.mix(clip.at, min(self._ramp, clip.left)))
            self._log.cut(self._position + self._ramp)

    def _interject(self, text: str) -> None:
        if self.hold is None:
            self._put_next(line(text, self._speech.line(text)))
            return
        takes = self._speech.takes(text)
        with self._lock:
            clip = self._queue.running_hold
            if clip is not None:
                clearance = round(CLEARANCE_SECONDS * self.rate)
                clip.words = interjected(clip.words, takes, text, clip.at + self._ramp, clearance)

    def _put_next(self, clip: Clip) -> None:
        """Queue a line before all that has not begun yet."""
        with self._lock:
            gap = list(self._gap())
            if gap:
                self._queue.extend([*gap, clip])
            else:
                self._queue.put_next(clip)
