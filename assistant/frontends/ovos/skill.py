"""Charley as a skill of Open Voice OS: its message bus in front, one session per device behind.

OVOS hears and finds the skill for a sentence; from there on Charley's own dialogue runs. Nothing
here waits: speech is sent ahead as files, and OVOS's scheduler calls back when something is due.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from langcodes import standardize_tag
from ovos_bus_client.message import Message, dig_for_message
from ovos_bus_client.session import Session as OvosSession
from ovos_bus_client.session import SessionManager
from ovos_utils import classproperty
from ovos_utils.process_utils import RuntimeRequirements
from ovos_workshop.skills.converse import ConversationalSkill
from ovos_workshop.skills.fallback import FallbackSkill

from assistant import remembered, settings
from assistant.clock import Clock, SystemClock
from assistant.dialogue.machine import listening
from assistant.dialogue.state import QUESTIONS, DialogueState, State
from assistant.errors import SynthesiserError
from assistant.frontends.ovos import locale
from assistant.frontends.ovos.messages import language_code, session_id, spoken_tags, utterances
from assistant.frontends.ovos.output import (
    Cut,
    Lines,
    Order,
    OvosOutput,
    Play,
    Speak,
    Stretches,
)
from assistant.frontends.ovos.sound_files import SoundFiles
from assistant.frontends.ovos.talk import DeviceTalk
from assistant.nlu.matcher import Match
from assistant.paths import cache_folder
from assistant.session import factory
from assistant.session.factory import Language
from assistant.settings import Settings

_FALLBACK_PRIORITY = 5
"""Asked when no intent is sure of an utterance, before skills that only guess."""
_STOP_SECONDS = 0.3
"""Between "stop" and Charley's answer: OVOS cuts whatever sounds once more when a skill stopped."""
_KEEP_SECONDS = 60.0
"""A sound file stays so long behind its end; the audio service may be late."""
_FORGET_SECONDS = 3600.0
"""Silence after which a device starts a new conversation."""
_LISTENING = QUESTIONS | {State.WARNED}
"""States whose silence is for the user: the microphone opens without a wake word."""


class CharleySkill(FallbackSkill, ConversationalSkill):
    """The skill; OVOS makes one, and it holds a conversation with every device that talks to it."""

    clock: Clock = SystemClock()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Write the locale folder and load the languages that this OVOS is set to."""
        self._lock = threading.RLock()
        self._chosen = settings.load()
        self._languages = {tag: _language(self._chosen, tag) for tag in spoken_tags()}
        self._talks: dict[str, DeviceTalk] = {}
        self._files = SoundFiles()
        resources = cache_folder() / "ovos"
        for tag, language in self._languages.items():
            locale.write(resources, tag, locale.files(language.intents, language.pack))
        super().__init__(*args, resources_dir=str(resources), **kwargs)

    @classproperty
    def runtime_requirements(self) -> RuntimeRequirements:
        """What it needs: nothing but the device itself."""
        return RuntimeRequirements(
            internet_before_load=False,
            network_before_load=False,
            requires_internet=False,
            requires_network=False,
            no_internet_fallback=True,
            no_network_fallback=True,
        )

    def initialize(self) -> None:
        """Register with OVOS what may be said."""
        for name in sorted({path.name for path in Path(self.res_dir).glob("locale/*/*.entity")}):
            self.register_entity_file(name)
        for name in sorted({path.name for path in Path(self.res_dir).glob("locale/*/*.intent")}):
            self.register_intent_file(name, self.handle_beginning)
        self.register_fallback(self.handle_fallback, _FALLBACK_PRIORITY)
        self.add_event("recognizer_loop:utterance_start", self.handle_playback)

    def get_intro_message(self) -> str:
        """Return what Charley says once, when it is new on a device."""
        language = next(iter(self._languages.values()), None)
        if language is None:
            return ""
        lines = language.pack.prompts
        return f"{lines.line('welcome.first').text} {lines.line('about.safety').text}"

    # What OVOS asks.

    def can_converse(self, message: Message) -> bool:
        """Return whether the utterance means something in the conversation that is going on."""
        with self._lock:
            talk = self._talks.get(session_id(message))
            return talk is not None and talk.is_live and self._understood(message) is not None

    def can_answer(self, message: Message) -> bool:
        """Return whether to take what no intent is sure of; an answer to a question is for us."""
        with self._lock:
            talk = self._talks.get(session_id(message))
            asked = talk is not None and talk.session.now.state in QUESTIONS
            return asked or self._understood(message) is not None

    def can_stop(self, message: Message) -> bool:
        """Return whether there is anything to stop."""
        with self._lock:
            talk = self._talks.get(session_id(message))
            return talk is not None and talk.is_live

    # What OVOS reports.

    def handle_beginning(self, message: Message) -> None:
        """An intent file fits: Charley's own matcher has the last word."""
        if (text := self._understood(message)) is not None:
            self._hear(message, text)

    def converse(self, message: Message) -> bool:
        """Take an utterance of the conversation; False leaves it to others."""
        if (text := self._understood(message)) is None:
            return False
        return self._hear(message, text)

    def handle_fallback(self, message: Message) -> bool:
        """Take an utterance that no intent fits; False leaves it to others."""
        if not self.can_answer(message):
            return False
        return self._hear(message, self._understood(message) or utterances(message)[0])

    def stop_session(self, session: OvosSession) -> bool:
        """Fall silent at once, and answer a moment later; True if there was anything to stop."""
        message = dig_for_message() or Message("")
        with self._lock:
            talk = self._talks.get(session.session_id)
            if talk is None or not talk.is_live:
                return False
            self._send(message, talk, [Cut()])
            talk.stop_at = self.clock.now() + _STOP_SECONDS
            self._plan(message, talk)
            return True

    def handle_playback(self, message: Message) -> None:
        """The audio service begins with a file: its clock is the one that counts."""
        with self._lock:
            if (sent := self._files.sender(message.data.get("uri", ""))) is not None:
                talk, number = sent
                talk.output.began(number, self.clock.now())
                self._plan(message, talk)

    def handle_due(self, message: Message) -> None:
        """OVOS's scheduler: something of a conversation is due."""
        with self._lock:
            if (talk := self._talks.get(session_id(message))) is not None:
                talk.settle()
                self._carry_on(message, talk)

    def shutdown(self) -> None:
        """Forget every conversation and remove the sound files."""
        with self._lock:
            self._talks.clear()
            self._files.remove()

    # The conversation.

    def _hear(self, message: Message, text: str) -> bool:
        with self._lock:
            talk = self._talk(message)
            if talk is None:
                return False
            talk.settle()
            talk.conversation.say(text)
            self._carry_on(message, talk)
            return True

    def _carry_on(self, message: Message, talk: DeviceTalk) -> None:
        """Do what is due by now, send what is new, and be woken for the next thing."""
        self._send(message, talk, talk.carry_on(self.clock.now()))
        self._attend(message, talk)
        self._plan(message, talk)

    def _attend(self, message: Message, talk: DeviceTalk) -> None:
        """Show OVOS whose turn it is."""
        state, speaking = talk.session.now.state, talk.session.now.speaking
        if talk.is_live:
            self.activate()
        elif talk.was_speaking:
            self.deactivate()
        if talk.was_speaking and not speaking and state in _LISTENING:
            self.bus.emit(message.forward("mycroft.mic.listen"))
        talk.was_speaking = speaking

    def _talk(self, message: Message) -> DeviceTalk | None:
        """Return the conversation with a message's device, a new one if need be."""
        device, now = session_id(message), self.clock.now()
        for name, other in list(self._talks.items()):
            if not other.is_live and now - other.at > _FORGET_SECONDS:
                del self._talks[name]
        if device not in self._talks:
            if (language := self._language(message)) is None:
                return None
            self._talks[device] = self._begin(language, now)
        return self._talks[device]

    def _begin(self, language: Language, now: float) -> DeviceTalk:
        chosen = replace(self._chosen, language=language.folder.name)
        output = self._output(language, chosen)
        start = replace(factory.initial_state(chosen), listening=listening(DialogueState()))
        conversation = factory.text_session(
            language, chosen, output, self.clock, start=start, remember=remembered.remember
        )
        return DeviceTalk(conversation, output, now)

    def _output(self, language: Language, chosen: Settings) -> OvosOutput:
        """Return Charley's own voice; lines for the device's voice where that is asked for."""
        if self.settings.get("speech") == "text":
            return Lines()
        try:
            return Stretches(factory.timeline(language.pack, chosen, self.log.warning))
        except SynthesiserError as error:
            self.log.warning("%s The device's own voice speaks; its counts are not exact.", error)
            return Lines()

    def _language(self, message: Message) -> Language | None:
        tag = standardize_tag(message.data.get("lang") or SessionManager.get(message).lang)
        return self._languages.get(tag)

    def _understood(self, message: Message) -> str | None:
        """Return the hypothesis of an utterance that means something now; None if none does."""
        talk = self._talks.get(session_id(message))
        language = self._language(message)
        if language is None:
            return None
        context = talk.session.now.context if talk else frozenset[str]()
        for text in utterances(message):
            found = language.matcher.match(text, context)
            if isinstance(found, Match) and (context or found.intent != "control_stop"):
                return text
        return None

    # What the bus carries.

    def _send(self, message: Message, talk: DeviceTalk, orders: Iterable[Order]) -> None:
        for order in orders:
            match order:
                case Cut():
                    self.bus.emit(message.forward("mycroft.audio.speech.stop"))
                case Speak(text=text):
                    self.speak(text)
                case Play():
                    self.play_audio(self._files.write(talk, order, self.clock.now()))

    def _plan(self, message: Message, talk: DeviceTalk) -> None:
        """Ask OVOS's scheduler to call back when the next thing is due."""
        name = f"due {session_id(message)}"
        self.cancel_scheduled_event(name)
        if (at := talk.next_at) is not None:
            when = datetime.now(UTC) + timedelta(seconds=max(0.0, at - self.clock.now()))
            self.schedule_event(self.handle_due, when, {"at": at}, name)


def _language(chosen: Settings, tag: str) -> Language:
    return factory.language(replace(chosen, language=language_code(tag) or tag))
