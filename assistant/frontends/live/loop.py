"""The conversation at a microphone and a speaker, in real time; without them, typed and shown."""

from __future__ import annotations

import queue
import sys
from collections.abc import Iterator
from contextlib import ExitStack

from assistant import malloc
from assistant.audio.ducking import Ducker
from assistant.audio.pcm import Samples
from assistant.clock import SystemClock
from assistant.dialogue.actions import Action, Chime, Say
from assistant.dialogue.events import (
    Event,
    Leaving,
    Started,
    Suspended,
    UtteranceHeard,
    UtteranceMissed,
)
from assistant.dialogue.machine import listening
from assistant.dialogue.state import DialogueState, State
from assistant.frontends.live.button_input import ButtonInput
from assistant.frontends.live.buttons import Button, meaning
from assistant.frontends.live.device_recovery import DeviceRecovery
from assistant.frontends.live.microphone_input import TICK_SECONDS, MicrophoneInput
from assistant.frontends.live.shutdown import Leave
from assistant.frontends.live.speaker_output import SpeakerOutput
from assistant.frontends.live.watchdog import Watchdog
from assistant.paths import state_folder
from assistant.remembered import recall, remember
from assistant.session import factory
from assistant.session.factory import Language
from assistant.session.hooks import Show, Tell, Watch
from assistant.settings import Settings

_FAREWELL_SECONDS = 6.0
"""The longest farewell."""
_SWITCH_SECONDS = 0.001
"""How long a thread may keep Python to itself; Python's own 5 ms let the sound card run dry."""


def run(
    language: Language, settings: Settings, *, show: Show, tell: Tell, watch: Watch | None = None
) -> int:
    """Converse until the input ends or a signal comes; `tell` gets one sentence about each fault.

    Returns the exit code: 0, or 128 and the signal's number. Raises AssistantError if the language
    or a setting is broken.
    """
    malloc.settle()
    sys.setswitchinterval(_SWITCH_SECONDS)
    with Leave() as leave, ExitStack() as opened:
        lost: queue.SimpleQueue[str] = queue.SimpleQueue()
        speaker = SpeakerOutput(settings, language, opened, lost.put, show=show, tell=tell)
        microphone = MicrophoneInput(settings, language, opened, lost.put, tell)
        if settings.loudspeaker:
            microphone.cancel_echo_of(speaker)
        if settings.lower_music:
            note = state_folder() / "lowered.json"
            opened.enter_context(Ducker(lambda: speaker.speaks() or microphone.is_awaited, note))
        buttons = ButtonInput(
            settings, language, opened, leave=leave, tell=tell, microphone=microphone
        )
        loop = _Loop(settings, language, speaker, microphone, buttons, watch=watch, tell=tell)
        loop.converse(lost, leave)
    return leave.exit_code


class _Loop:
    """One session in real time."""

    def __init__(
        self,
        settings: Settings,
        language: Language,
        speaker: SpeakerOutput,
        microphone: MicrophoneInput,
        buttons: ButtonInput,
        *,
        watch: Watch | None,
        tell: Tell,
    ) -> None:
        self._speaker = speaker
        self._microphone = microphone
        self._buttons = buttons
        self._watch = watch or (lambda _event, _actions: None)
        self._is_answered = False
        """True once an utterance was answered since the last press."""
        self._prompts = language.pack.prompts
        self._keep = language.keep
        self._tell = tell
        self._clock = SystemClock()
        self._watchdog = Watchdog(self._clock, self._on_stuck, self._on_free)
        self._conversation = factory.voice_session(
            language,
            settings,
            speaker.output,
            microphone.listener,
            watch=self._note,
            remember=remember,
            own_words=speaker.own_words if settings.loudspeaker else None,
        )
        self._session = self._conversation.session

    def converse(self, lost: queue.SimpleQueue[str], leave: Leave) -> None:
        """Run until the input ends or the program is asked to leave."""
        recovery = DeviceRecovery(self._speaker, self._microphone, lost, self._report)
        self._session.handle(Started(self._clock.now(), recall("safety_told") is None))
        preparation = self._prepare()
        with self._watchdog:
            while leave.signal is None:
                try:
                    block, line = self._microphone.wait()
                except EOFError:
                    return
                self._pass(block, line, recovery)
                if not self._microphone.behind_seconds:
                    next(preparation, None)
            self._take_leave()

    def _prepare(self) -> Iterator[None]:
        """Prepare what may be needed, a little at a time, while nobody waits for an answer."""
        if self._microphone.listener:
            for state in State:
                self._microphone.listener.prepare([listening(DialogueState(state=state))])
                yield
            self._keep()
        yield from self._speaker.prepare()

    def _pass(self, block: Samples | None, line: str | None, recovery: DeviceRecovery) -> None:
        """Answer what happened since the last time."""
        at, asleep_seconds = self._watchdog.beat()
        if asleep_seconds:
            hold = self._speaker.output.hold_position_seconds
            self._session.handle(Suspended(at, asleep_seconds, hold))
        for button in self._buttons.take():
            self._press(button, at)
        self._hear(block, at)
        self._buttons.show(self._session.now.state)
        if line is not None and line.strip():
            self._session.hear(line, at)
        self._speaker.caption(at)
        for event in recovery.events(at):
            self._session.handle(event)

    def _note(self, event: Event, actions: tuple[Action, ...]) -> None:
        sounds = any(isinstance(action, Say | Chime) for action in actions)
        if isinstance(event, UtteranceHeard) or (isinstance(event, UtteranceMissed) and sounds):
            self._is_answered = True
        self._watch(event, actions)

    def _hear(self, block: Samples | None, at: float) -> None:
        """Take the next sound; a chime answers a press of the button that led to nothing."""
        talk = self._microphone.talk
        was_open = talk is not None and talk.is_open
        self._conversation.tick(at, block)
        if talk is not None and was_open and not talk.is_open and not self._is_answered:
            self._speaker.output.perform(Chime("missed" if talk.is_heard else "quiet"))

    def _press(self, button: Button, at: float) -> None:
        if button is Button.TALK:
            self._is_answered = False
            self._speaker.output.perform(Chime(self._microphone.press()))
        else:
            self._session.command(meaning(button, self._session.now.state), at)

    def _take_leave(self) -> None:
        """Finish the word, say goodbye and wait until it is heard."""
        at, _ = self._watchdog.beat()
        self._session.handle(Leaving(at))
        end = at + _FAREWELL_SECONDS
        while at < end and not self._speaker.is_idle:
            self._clock.wait_until(at + TICK_SECONDS)
            at, _ = self._watchdog.beat()
            self._speaker.output.advance(at)  # nobody is there to hear what it would lead to
            self._speaker.caption(at)
        self._clock.wait_until(at + self._speaker.latency_seconds)

    def _report(self, key: str) -> None:
        """Show a prompt about a fault on the screen, in the person's language."""
        self._tell(self._prompts.line(key).text)

    def _on_stuck(self) -> None:
        self._report("fault.stuck")
        self._speaker.alarm("fault.stuck")

    def _on_free(self) -> None:
        self._report("fault.free")
        self._speaker.alarm("fault.free")
