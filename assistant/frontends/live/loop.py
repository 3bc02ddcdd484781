"""The conversation at a microphone and a speaker, in real time; without them, typed and shown."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from assistant import malloc
from assistant.asr.push_to_talk import PushToTalk
from assistant.asr.voice_activity import VoiceActivityGate
from assistant.audio import stream
from assistant.audio.devices import output_rate
from assistant.audio.ducking import SOON_SECONDS, Music
from assistant.audio.microphone import Microphone
from assistant.audio.pcm import DEFAULT_RATE, Samples
from assistant.audio.speaker import Speaker
from assistant.clock import SystemClock
from assistant.dialogue.actions import Action, Chime, Interject, Say, SetVolume
from assistant.dialogue.events import (
    DeviceFound,
    DeviceLost,
    Event,
    Leaving,
    Started,
    Suspended,
    UtteranceHeard,
    UtteranceMissed,
    Xrun,
)
from assistant.dialogue.machine import listening
from assistant.dialogue.state import DialogueState, State
from assistant.errors import (
    AssistantError,
    DeviceError,
    ModelError,
    SettingsError,
    SynthesiserError,
)
from assistant.frontends.live.buttons import Button, meaning
from assistant.frontends.live.shutdown import Leave
from assistant.frontends.live.terminal_keys import Keys
from assistant.frontends.live.watchdog import Watchdog
from assistant.paths import state_folder
from assistant.playback.captions import Caption, CaptionTimeline
from assistant.playback.outputs import Output
from assistant.playback.timeline import INTERJECT_PACES, Timeline
from assistant.playback.timeline_output import TimelineOutput
from assistant.remembered import recall, remember
from assistant.session import factory, speech_model, voices
from assistant.session.factory import Language
from assistant.session.listening import ContextListener
from assistant.session.session import Session
from assistant.session.spoken import SpokenConversation
from assistant.settings import Settings
from assistant.tts.fallback import FallbackVoice
from assistant.tts.synthesiser import Synthesiser

if TYPE_CHECKING:
    from assistant.frontends.live.mpris import MediaButtons

_TICK_SECONDS = 0.05
"""Longest wait for sound or typing before timers and captions are looked at."""
_RETRY_SECONDS = 2.0
"""What was lost is looked for again this often."""
_UNHEARD_SECONDS = 5.0
"""So long the timeline waits for a lost speaker; then it goes on in captions."""
_XRUN_SECONDS = 2.0
"""The counters of lost sound are read this often."""
_BUSY_XRUNS, _BUSY_SECONDS = 5, 60.0
"""So much sound lost between two readings is worth a word, but not again within this time."""
_START_SECONDS = 10.0
"""Until then everything is still being loaded, and a busy machine is no news."""
_FAREWELL_SECONDS = 6.0
"""The longest farewell."""
_SWITCH_SECONDS = 0.001
"""How long a thread may keep Python to itself; Python's own 5 ms let the sound card run dry."""

Show = Callable[[Caption], None]
Tell = Callable[[str], None]
Watch = Callable[[Event, tuple[Action, ...]], None]


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
        mouth = _Mouth(settings, language, opened, lost.put, show=show, tell=tell)
        ear = _Hearing(settings, language, opened, lost.put, tell)
        if settings.loudspeaker:
            ear.cancel_echo_of(mouth)
        if settings.lower_music:
            note = state_folder() / "lowered.json"
            opened.enter_context(Music(lambda: mouth.speaks() or ear.is_awaited, note))
        buttons = _Buttons(settings, language, opened, leave=leave, tell=tell, hearing=ear)
        live = _Live(settings, language, mouth, ear, buttons, watch=watch, tell=tell)
        live.converse(lost, leave)
    return leave.exit_code


class _Mouth:
    """The speaker with its timeline, or captions if there is none."""

    name = "speaker"

    def __init__(
        self,
        settings: Settings,
        language: Language,
        opened: ExitStack,
        on_lost: Tell,
        *,
        show: Show,
        tell: Tell,
    ) -> None:
        self._settings = settings
        self._prompts = language.pack.prompts
        self._opened = opened
        self._on_lost = on_lost
        self._show = show
        self._timeline: Timeline | None = None
        self._speaker: Speaker | None = None
        self._voice: FallbackVoice | None = None
        self._unheard_since: float | None = None
        """When nobody heard the timeline any more; its time then passes by the clock."""
        self._unheard_samples = 0
        try:
            rate = output_rate(settings.speaker)
            voice = self._spare(voices.voice(language.pack, settings, tell))
            named = voices.by_name(language.pack, settings, tell)
            self._timeline = Timeline(
                voice, rate, settings.lead_in_seconds, lambda name: self._spare(named(name))
            )
            self.open()
        except (DeviceError, SynthesiserError) as error:
            tell(f"{error} Charley shows captions instead.")
            self._timeline = None
        self.output = self._output()

    def _spare(self, voice: Synthesiser) -> Synthesiser:
        notice = self._prompts.line("fault.voice").text
        self._voice = FallbackVoice(voice, notice, lambda: self._on_lost("voice"))
        return self._voice

    def _output(self) -> Output:
        if self._timeline is None:
            return CaptionTimeline(self._show)
        self._timeline.perform(SetVolume(self._settings.volume))
        return TimelineOutput(self._timeline)

    def prepare(self) -> Iterator[None]:
        """Speak in advance what may have to be said when nothing can be rendered any more.

        It yields after every line.
        """
        if self._voice is None:
            return
        for key in (key for key in self._prompts.lines if key.startswith(_FAULTS)):
            paces = INTERJECT_PACES if key in _BETWEEN_COUNTS else INTERJECT_PACES[:1]
            self._voice.prepare([self._prompts.line(key).text], paces)
            yield
        for number in self._prompts.numbers[1 : self._settings.hold_seconds + 1]:
            self._voice.prepare([number])
            yield

    def open(self) -> None:
        """Open the speaker; DeviceError if it cannot be. What was queued goes on playing."""
        if self._timeline is not None:
            speaker = Speaker(self._timeline, self._settings.speaker, self._on_lost)
            self._speaker = self._opened.enter_context(speaker)
            self._unheard_since = None

    def close(self, at: float) -> None:
        """Let go of a speaker that was lost."""
        if self._speaker is not None:
            self._speaker.__exit__(None, None, None)
            self._speaker = None
        self._unheard_since, self._unheard_samples = at + _UNHEARD_SECONDS, 0

    def speaks_again(self) -> bool:
        """Try a voice that failed; True if it speaks again."""
        if self._voice is None or not self._voice.try_again():
            return False
        if self._timeline is not None:
            self._timeline.speak_anew()
        return True

    def alarm(self, key: str) -> None:
        """Say a prepared line at once, whatever else goes on; from any thread."""
        if self._timeline is not None:
            self._timeline.perform(Interject(key, self._prompts.line(key).text))

    @property
    def xruns(self) -> int:
        """Times that the sound card ran dry since the speaker was opened."""
        return self._speaker.underflows if self._speaker else 0

    @property
    def latency_seconds(self) -> float:
        """Time from the timeline to the ear."""
        return self._speaker.latency_seconds if self._speaker else 0.0

    @property
    def is_idle(self) -> bool:
        """True if nothing is left to be heard or read."""
        if self._timeline is not None:
            return self._timeline.is_idle
        return getattr(self.output, "next_at", None) is None

    def speaks(self) -> bool:
        """Tell, to any thread, whether something is spoken now or in a moment."""
        return self._timeline is not None and self._timeline.speaks_within(SOON_SECONDS)

    def tell_played(self, listener: Callable[[Samples], None]) -> None:
        """Let somebody know every sample that is played, in the sound card's thread."""
        if self._timeline is not None:
            self._timeline.on_played = listener

    @property
    def rate(self) -> int:
        """Hertz of what is played."""
        return self._timeline.rate if self._timeline else DEFAULT_RATE

    def own_words(self) -> str:
        """Return what Charley says just now, as far as it can be heard."""
        return self._timeline.speaking_now() if self._timeline else ""

    def caption(self, at: float) -> None:
        """Show what began to sound since the last call, or would have without a speaker."""
        if self._timeline is None:
            return
        if self._unheard_since is not None and at > self._unheard_since:
            passed = round((at - self._unheard_since) * self._timeline.rate)
            self._timeline.read(passed - self._unheard_samples)
            self._unheard_samples = passed
        for begun in self._timeline.take_begun():
            kind = "count" if begun.counted else "say"
            self._show(Caption(begun.at_samples / self._timeline.rate, kind, begun.text))


_FAULTS = ("device.", "fault.", "leave.")
"""The groups of prompts that are about faults."""
_BETWEEN_COUNTS = ("device.deaf", "device.hears", "fault.stuck", "fault.free")
"""Those that may be squeezed into a hold."""


class _Hearing:
    """The microphone with the recogniser, or the keyboard if there is none."""

    name = "microphone"

    def __init__(
        self,
        settings: Settings,
        language: Language,
        opened: ExitStack,
        on_lost: Tell,
        tell: Tell,
    ) -> None:
        self._settings = settings
        self._opened = opened
        self._on_lost = on_lost
        self._typed: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._microphone: Microphone | None = None
        self._is_read = False
        self._cleaned: Callable[[Samples], Samples] = lambda block: block
        self.ear: ContextListener | None = None
        self.talk: PushToTalk | None = None
        """What a press of a button opens, if that is how the user wants to be heard."""
        try:
            self.open()
            model = speech_model.load(language.pack, settings)
            recogniser = factory.recogniser(language.pack, model)
            factory.tell_unknown_words(model, language, tell)
            if settings.push_to_talk:
                self.talk = PushToTalk(recogniser)
            self.ear = ContextListener(self.talk or VoiceActivityGate(recogniser), language.intents)
        except (DeviceError, ModelError) as error:
            tell(f"{error} Type to Charley instead, one line at a time.")
            self._let_go()
            self._read_typing()

    def open(self) -> None:
        """Open the microphone; DeviceError if it cannot be."""
        microphone = Microphone(self._settings.microphone, self._on_lost)
        self._microphone = self._opened.enter_context(microphone)

    def close(self, _at: float) -> None:
        """Let go of a microphone that was lost; a person at a keyboard types meanwhile."""
        self._let_go()
        if _is_terminal() and self.talk is None:  # push-to-talk has its keys
            self._read_typing()

    @property
    def is_awaited(self) -> bool:
        """True while an utterance was asked for by a button."""
        return self.talk is not None and self.talk.is_open

    def forget(self) -> None:
        """Drop what was said before now; from any thread."""
        microphone = self._microphone
        if microphone is not None:
            microphone.forget()

    def press(self) -> str:
        """Open or close the ear; return the earcon that tells what came of it."""
        if self.talk is None or self._microphone is None:
            return "missed"
        return "heard" if self.talk.press() else "quiet"

    def cancel_echo_of(self, mouth: _Mouth) -> None:
        """Take what the speaker plays out of what is heard from now on."""
        # Only here: with earbuds nothing of it is loaded.
        from assistant.audio.echo_canceller import EchoCanceller, Reference

        reference = Reference(mouth.rate)
        self._cleaned = EchoCanceller(reference).clean
        mouth.tell_played(reference.put)

    def _let_go(self) -> None:
        if self._microphone is not None:
            self._microphone.__exit__(None, None, None)
            self._microphone = None

    @property
    def xruns(self) -> int:
        """Times that sound was lost since the microphone was opened."""
        found = self._microphone
        return found.overflows + found.dropped_blocks if found else 0

    @property
    def behind_seconds(self) -> float:
        """TimelineOutput that waits to be heard."""
        return self._microphone.behind_seconds if self._microphone else 0.0

    def _read_typing(self) -> None:
        if not self._is_read:
            self._is_read = True
            threading.Thread(target=self._read, args=(sys.stdin,), daemon=True).start()

    def _read(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._typed.put(line)
        self._typed.put(None)

    def wait(self) -> tuple[Samples | None, str | None]:
        """Return the next sound or typed line, whichever there is; EOFError at the end."""
        if self.ear is not None and self._microphone is not None:
            block = self._microphone.read(_TICK_SECONDS)
            return (None if block is None else self._cleaned(block)), None
        try:
            line = self._typed.get(timeout=_TICK_SECONDS)
        except queue.Empty:
            return None, None
        if line is None:
            raise EOFError
        return None, line


class _Buttons:
    """Keys and a headset's buttons, where the user wants them."""

    def __init__(
        self,
        settings: Settings,
        language: Language,
        opened: ExitStack,
        *,
        leave: Leave,
        tell: Tell,
        hearing: _Hearing,
    ) -> None:
        """Raises SettingsError if the user would have no way to be heard."""
        self._hearing = hearing
        self._pressed: queue.SimpleQueue[Button] = queue.SimpleQueue()
        self._media: MediaButtons | None = None
        if settings.media_buttons:
            try:
                self._media = opened.enter_context(_media_buttons(self._press, settings))
            except DeviceError as error:
                tell(str(error))
        if hearing.talk is None:
            return
        if _is_terminal():
            keys = opened.enter_context(Keys(sys.stdin, self._press))
            leave.at_last = keys.give_back
            tell(language.pack.ui_text("typing.keys"))
        elif self._media is None:
            raise SettingsError(
                "For push-to-talk there must be a key or a button: start Charley in a terminal,"
                " or with --media-buttons."
            )

    def _press(self, button: Button) -> None:
        if button is Button.TALK:
            self._hearing.forget()
        self._pressed.put(button)

    def take(self) -> Iterator[Button]:
        """Yield what was pressed since the last time."""
        while not self._pressed.empty():
            yield self._pressed.get()

    def show(self, state: State) -> None:
        """Let the desktop know whether something is going on."""
        if self._media is not None:
            self._media.show(state)


def _media_buttons(pressed: Callable[[Button], None], settings: Settings) -> MediaButtons:
    """Return a headset's buttons. SettingsError if their package is not installed."""
    try:
        from assistant.frontends.live.mpris import MediaButtons
    except ImportError:
        raise SettingsError(
            "media_buttons needs the Python package dbus-fast: `.venv/bin/python -m pip install"
            " dbus-fast`, on Linux."
        ) from None
    return MediaButtons(pressed, talks=settings.push_to_talk)


def _is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


class _Voice:
    """What is lost and found of the voice; the mouth has it."""

    name = "voice"

    def __init__(self, mouth: _Mouth) -> None:
        self._mouth = mouth

    def open(self) -> None:
        """Try it; SynthesiserError if it still fails."""
        if not self._mouth.speaks_again():
            raise SynthesiserError("The voice engine still fails.")

    def close(self, _at: float) -> None:
        """There is nothing to let go of."""


class _Live:
    """One session in real time."""

    def __init__(
        self,
        settings: Settings,
        language: Language,
        mouth: _Mouth,
        hearing: _Hearing,
        buttons: _Buttons,
        *,
        watch: Watch | None,
        tell: Tell,
    ) -> None:
        self._mouth = mouth
        self._hearing = hearing
        self._buttons = buttons
        self._watch = watch or (lambda _event, _actions: None)
        self._is_answered = False
        """True once an utterance was answered since the last press."""
        self._prompts = language.pack.prompts
        self._keep = language.keep
        self._tell = tell
        self._parts = {part.name: part for part in (mouth, hearing, _Voice(mouth))}
        self._clock = SystemClock()
        self._watchdog = Watchdog(self._clock, self._on_stuck, self._on_free)
        self._missing: dict[str, float] = {}
        """What was lost, to when it is looked for again."""
        self._xruns = {mouth.name: 0, hearing.name: 0}
        self._xruns_at, self._busy_at = _XRUN_SECONDS, _START_SECONDS
        """When the counters are read next, and when their meaning may be told again."""
        ear = hearing.ear
        self._session = Session(
            language.pack,
            language.matcher,
            factory.coaching(settings),
            mouth.output,
            start=factory.beginning(settings),
            watch=self._note,
            listen=ear.listen if ear else None,
            remember=remember,
        )
        self._conversation = SpokenConversation(
            self._session, mouth.output, ear, mouth.own_words if settings.loudspeaker else None
        )

    def converse(self, lost: queue.SimpleQueue[str], leave: Leave) -> None:
        """Run until the input ends or the program is asked to leave."""
        self._session.handle(Started(self._clock.now(), recall("safety_told") is None))
        preparation = self._prepare()
        with self._watchdog:
            while leave.signal is None:
                try:
                    block, line = self._hearing.wait()
                except EOFError:
                    return
                self._pass(block, line, lost)
                if not self._hearing.behind_seconds:
                    next(preparation, None)
            self._take_leave()

    def _prepare(self) -> Iterator[None]:
        """Make ready what may be needed, a little at a time, while nobody waits for an answer."""
        if self._hearing.ear:
            for state in State:
                self._hearing.ear.prepare([listening(DialogueState(state=state))])
                yield
            self._keep()
        yield from self._mouth.prepare()

    def _pass(self, block: Samples | None, line: str | None, lost: queue.SimpleQueue[str]) -> None:
        """Answer what happened since the last time."""
        at, asleep_seconds = self._watchdog.beat()
        if asleep_seconds:
            self._session.handle(
                Suspended(at, asleep_seconds, self._mouth.output.hold_position_seconds)
            )
        for button in self._buttons.take():
            self._press(button, at)
        self._hear(block, at)
        self._buttons.show(self._session.now.state)
        if line is not None and line.strip():
            self._session.hear(line, at)
        self._mouth.caption(at)
        self._mind_losses(lost, at)
        self._mind_xruns(at)

    def _note(self, event: Event, actions: tuple[Action, ...]) -> None:
        sounds = any(isinstance(action, Say | Chime) for action in actions)
        if isinstance(event, UtteranceHeard) or (isinstance(event, UtteranceMissed) and sounds):
            self._is_answered = True
        self._watch(event, actions)

    def _hear(self, block: Samples | None, at: float) -> None:
        """Take the next sound; whoever pressed a button for it is told if nothing came of it."""
        talk = self._hearing.talk
        was_open = talk is not None and talk.is_open
        self._conversation.tick(at, block)
        if talk is not None and was_open and not talk.is_open and not self._is_answered:
            self._mouth.output.perform(Chime("missed" if talk.is_heard else "quiet"))

    def _press(self, button: Button, at: float) -> None:
        if button is Button.TALK:
            self._is_answered = False
            self._mouth.output.perform(Chime(self._hearing.press()))
        else:
            self._session.command(meaning(button, self._session.now.state), at)

    def _take_leave(self) -> None:
        """Let the word be finished and the farewell be heard."""
        at, _ = self._watchdog.beat()
        self._session.handle(Leaving(at))
        end = at + _FAREWELL_SECONDS
        while at < end and not self._mouth.is_idle:
            self._clock.wait_until(at + _TICK_SECONDS)
            at, _ = self._watchdog.beat()
            self._mouth.output.advance(at)  # what it would lead to is for nobody any more
            self._mouth.caption(at)
        self._clock.wait_until(at + self._mouth.latency_seconds)

    def _fault(self, key: str) -> None:
        """Tell of a fault on the screen, in the person's language."""
        self._tell(self._prompts.line(key).text)

    def _on_stuck(self) -> None:
        self._fault("fault.stuck")
        self._mouth.alarm("fault.stuck")

    def _on_free(self) -> None:
        self._fault("fault.free")
        self._mouth.alarm("fault.free")

    # Devices

    def _mind_losses(self, lost: queue.SimpleQueue[str], at: float) -> None:
        while not lost.empty():
            name = lost.get()
            self._missing[name] = at + _RETRY_SECONDS
            self._parts[name].close(at)
            self._fault(_LOST[name])
            self._session.handle(DeviceLost(at, name))
        for name, retry_at in list(self._missing.items()):
            if at >= retry_at:
                self._look_for(name, at)

    def _look_for(self, name: str, at: float) -> None:
        # It makes a gap in what is spoken: not while somebody listens.
        if name == self._mouth.name or (name == self._hearing.name and self._mouth.is_idle):
            stream.rescan()
        try:
            self._parts[name].open()
        except AssistantError:
            self._missing[name] = at + _RETRY_SECONDS
            return
        del self._missing[name]
        self._xruns[name] = 0
        self._fault(_FOUND[name])
        self._session.handle(DeviceFound(at, name, self._mouth.output.hold_position_seconds))

    def _mind_xruns(self, at: float) -> None:
        if at < self._xruns_at:
            return
        self._xruns_at = at + _XRUN_SECONDS
        for part in (self._mouth, self._hearing):
            times = part.xruns - self._xruns[part.name]
            self._xruns[part.name] = part.xruns
            if times > 0:
                self._session.handle(Xrun(at, part.name, times))
            if times >= _BUSY_XRUNS and at >= self._busy_at:
                self._busy_at = at + _BUSY_SECONDS
                self._fault("fault.busy")


_LOST = {"microphone": "fault.microphone", "speaker": "fault.speaker", "voice": "fault.voice"}
_FOUND = {"microphone": "device.found", "speaker": "device.sound", "voice": "fault.voice_back"}
"""The prompts for the screen."""
