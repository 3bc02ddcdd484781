"""A whole conversation in a file: a synthetic runner is really heard, Charley really answers.

No sound card: microphone and loudspeaker are two blocks of PCM that move in step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.asr.hypothesis import RATE
from assistant.audio import audio_file
from assistant.audio.pcm import DEFAULT_RATE, Pcm, Samples, from_int16, silence, to_int16
from assistant.audio.shaping import resample
from assistant.dialogue.actions import Action
from assistant.dialogue.events import Event, Started, UtteranceHeard, UtteranceMissed
from assistant.dialogue.state import State
from assistant.playback.timeline_output import TimelineOutput
from assistant.session import factory, speech_model
from assistant.session.factory import Language
from assistant.session.scripted_user import ScriptedUser, awaits_user
from assistant.settings import Settings
from assistant.tts.cache import CachedVoice
from assistant.tts.pyttsx3_voice import Pyttsx3Voice
from assistant.tts.synthesiser import Synthesiser

BLOCKS_PER_SECOND = 50
RUNNER_WORDS_PER_MINUTE = 160
_REACTION_SECONDS = 0.5
"""From the end of Charley's words to the first word of the runner."""
_PATIENCE_SECONDS = 2.5
"""How long the runner waits for an answer before speaking again."""
_MOST_REPEATS = 2
"""How many times a runner who was not understood repeats a line."""
_LIMIT_SECONDS = 600.0
_SILENT_END_SECONDS = 40.0
"""How long a runner who has nothing left to say is waited for."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One line of the transcript."""

    at: float
    """Seconds from the beginning of the recording."""
    speaker: str
    """"runner", "heard" (what the recogniser made of it), "charley" or "count"."""
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the conversation went."""

    said: tuple[str, ...]
    """The runner's lines."""
    misheard: tuple[str, ...]
    """Those of them that were never understood, even when said again."""
    seconds: float


class Runner:
    """A scripted user with a voice, as a microphone that never ends."""

    def __init__(self, script: ScriptedUser, voice: Synthesiser) -> None:
        self.script = script
        self._voice = voice
        self._pending: Samples = np.zeros(0, np.int16)
        self._last = ""
        self._repeats = 0

    @property
    def is_silent(self) -> bool:
        """True while the runner is not speaking."""
        return not len(self._pending)

    def say(self, text: str) -> None:
        """Begin to speak after the time it takes to react."""
        self._repeats = self._repeats + 1 if text == self._last else 0
        self._last = text
        spoken = resample(self._voice.render(text), RATE)
        pause = silence(round(_REACTION_SECONDS * RATE), RATE)
        self._pending = np.concatenate([pause.samples, spoken.samples])

    def again(self) -> str:
        """Return what to say when it was not understood: the same, a few times."""
        return self._last if self._repeats < _MOST_REPEATS else ""

    def next_block(self) -> Samples:
        """Return the next block of microphone sound."""
        size = RATE // BLOCKS_PER_SECOND
        block, self._pending = self._pending[:size], self._pending[size:]
        return np.pad(block, (0, size - len(block)))


class Demo:
    """The conversation between a synthetic runner and Charley."""

    def __init__(
        self,
        language: Language,
        settings: Settings,
        lines: Iterable[str] | None,
        *,
        show: Callable[[Remark], None],
        watch: Callable[[Event, tuple[Action, ...]], None] | None = None,
        warn: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        self._language = language
        self._show = show
        self._watch = watch
        self._timeline = factory.timeline(self._language.pack, settings, warn, in_real_time=False)
        runner_voice = Pyttsx3Voice(
            language.pack.voices.runner, RUNNER_WORDS_PER_MINUTE, in_real_time=False
        )
        script = _lines(self._language.folder / "demo.txt") if lines is None else lines
        self._conversation = factory.voice_session(
            self._language,
            settings,
            TimelineOutput(self._timeline),
            factory.listener(self._language, speech_model.load(self._language.pack, settings)),
            watch=self._noted,
        )
        self._session = self._conversation.session
        user = ScriptedUser(script, self._session.meaning)
        self._runner = Runner(user, CachedVoice(runner_voice, None))
        self._awaits_ear = False
        """True from the runner's words until something was heard."""
        self._was_missed = False
        """True from a reprompt until the runner has said it again."""
        self._said: list[str] = []
        self._meant: list[str] = []
        self._misheard: list[str] = []

    def play(self) -> tuple[Pcm, Outcome]:
        """Play it to its end; return the recording of both voices, and how it went."""
        charley, runner, outcome = self.tracks()
        both = from_int16(charley.samples) + from_int16(resample(runner, DEFAULT_RATE).samples)
        return Pcm(to_int16(both), DEFAULT_RATE), outcome

    def tracks(self) -> tuple[Pcm, Pcm, Outcome]:
        """Play it to its end; return what the speaker and the microphone had, and how it went."""
        self._session.handle(Started(0.0, first_time=False))
        spoken, heard = (np.concatenate(s) for s in zip(*self._blocks(), strict=True))
        charley, runner = Pcm(spoken, DEFAULT_RATE), Pcm(heard, RATE)
        self._misheard += self._meant
        outcome = Outcome(tuple(self._said), tuple(self._misheard), charley.seconds)
        return charley, runner, outcome

    @property
    def state(self) -> State:
        """Where the conversation is."""
        return self._session.now.state

    def _blocks(self) -> Iterator[tuple[Samples, Samples]]:
        """Yield what Charley and the runner say, block by block."""
        spoken_at, frames = 0.0, DEFAULT_RATE // BLOCKS_PER_SECOND
        for number in range(round(_LIMIT_SECONDS * BLOCKS_PER_SECOND)):
            at = number / BLOCKS_PER_SECOND
            if not self._runner.is_silent:
                spoken_at = at
            elif not self._awaits_ear or at - spoken_at > _PATIENCE_SECONDS:
                self._prompt_runner(at)
            block = self._runner.next_block()
            self._conversation.tick(at, block)
            yield self._timeline.read(frames), block
            for begun in self._timeline.take_begun():
                speaker = "count" if begun.counted else "charley"
                self._show(Remark(begun.at_samples / DEFAULT_RATE, speaker, begun.text))
            if self._is_over(at - spoken_at):
                return

    def _prompt_runner(self, at: float) -> None:
        now, hold = self._session.now, self._timeline.hold_position_seconds
        if self._was_missed and awaits_user(now):
            text, self._was_missed = self._runner.again(), False
        else:
            text = self._runner.script.speak(now, at, hold) or ""
            if text:
                self._said.append(text)
                self._meant.append(self._session.meaning(text) or text)
        if text:
            self._runner.say(text)
            self._awaits_ear = True
            self._show(Remark(at + _REACTION_SECONDS, "runner", text))

    def _noted(self, event: Event, actions: tuple[Action, ...]) -> None:
        if self._watch:
            self._watch(event, actions)
        if isinstance(event, UtteranceHeard | UtteranceMissed):
            self._awaits_ear = False
            self._was_missed = isinstance(event, UtteranceMissed)
            intent = event.intent if isinstance(event, UtteranceHeard) else ""
            self._show(Remark(event.at, "heard", f"{event.text} → {intent or 'not understood'}"))
            if intent in self._meant:
                self._meant.remove(intent)

    def _is_over(self, silent_seconds: float) -> bool:
        now = self._session.now
        if self._runner.script.line is not None or not self._runner.is_silent:
            return False
        done = now.state is State.IDLE and not now.speaking and silent_seconds > 3.0
        return done or silent_seconds > _SILENT_END_SECONDS


def demo(
    language: Language,
    settings: Settings,
    out: Path,
    *,
    show: Callable[[Remark], None],
    script: Iterable[str] | None = None,
) -> Outcome:
    """Play a conversation and write it to a file; AssistantError says what is missing."""
    recording, outcome = Demo(language, settings, script, show=show).play()
    audio_file.write(out, recording)
    return outcome


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()
