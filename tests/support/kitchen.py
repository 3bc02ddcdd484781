"""A kitchen with Open Voice OS in it: its own services on its fake bus, in virtual time.

What is OVOS's is real: the plugin manager that loads the skill, the services for stop, converse,
intents and fallback, and the skill's base. Two of its processes that live by the wall clock are
stood in for: the scheduler, and the timeline of the audio service.
"""

from __future__ import annotations

import binascii
import inspect
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

import numpy as np
from ovos_bus_client import message as ovos_message
from ovos_bus_client.message import Message
from ovos_bus_client.session import Session, SessionManager
from ovos_core.intent_services.service import IntentService
from ovos_plugin_manager.skills import find_skill_plugins
from ovos_utils.fakebus import FakeBus

from assistant.audio import audio_file
from assistant.audio.pcm import Pcm
from assistant.clock import VirtualClock

SKILL = "ovos-skill-charley.charley"

PIPELINE = [
    "ovos-stop-pipeline-plugin-high",
    "ovos-converse-pipeline-plugin",
    "ovos-padacioso-pipeline-plugin-high",
    "ovos-fallback-pipeline-plugin-high",
    "ovos-stop-pipeline-plugin-medium",
    "ovos-fallback-pipeline-plugin-medium",
    "ovos-fallback-pipeline-plugin-low",
]
"""OVOS's own order; padacioso, its parser in pure Python, for padatious, which needs a compiler."""

TICK_SECONDS = 0.5
"""How often OVOS's scheduler looks at what is due."""


def _callers() -> list[SimpleNamespace]:
    frames = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        frames.append(SimpleNamespace(frame=frame))
        frame = frame.f_back
    return frames


# OVOS looks for the message that is being handled among its callers, hundreds of times a test, and
# uses nothing of their source code; reading that took half of the time of all these tests.
ovos_message.inspect = SimpleNamespace(stack=_callers, getargvalues=inspect.getargvalues)


@dataclass
class Sound:
    """A file, or a line of text, that the audio service got, and when it was heard."""

    pcm: Pcm | None
    text: str
    uri: str
    starts: float
    ends: float
    reported: bool = False

    @property
    def seconds(self) -> float:
        """How long it is when nothing cuts it."""
        return self.pcm.seconds if self.pcm else 0.0


@dataclass
class Kitchen:
    """`kitchen.says("my calf is cramping")`, then `kitchen.waits(20.0)`."""

    lag_seconds: float = 0.0
    """How long the audio service takes to begin with a file."""
    reports: bool = True
    """False for an audio service that does not report when it begins."""
    bus: FakeBus = field(default_factory=FakeBus)
    clock: VirtualClock = field(default_factory=VirtualClock)
    sounds: dict[str, list[Sound]] = field(default_factory=dict)
    """By session."""
    messages: list[Message] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """Utterances that nobody in this OVOS understood."""
    _answered: threading.Event = field(default_factory=threading.Event)
    _due: dict[str, tuple[float, Message]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Start OVOS and let its plugin manager load the skill."""
        SessionManager.reset_default_session().pipeline = list(PIPELINE)
        self.bus.on("message", lambda text: self.messages.append(Message.deserialize(text)))
        self.bus.on("mycroft.scheduler.schedule_event", self._schedule)
        self.bus.on("mycroft.scheduler.remove_event", self._unschedule)
        self.bus.on("mycroft.audio.queue", self._queue)
        self.bus.on("speak", self._speak)
        self.bus.on("mycroft.audio.speech.stop", self._cut)
        self.bus.on("complete_intent_failure", self._fail)
        for done in ("ovos.utterance.handled", f"{SKILL}.stop.response"):
            self.bus.on(done, lambda _message: self._answered.set())
        self.core = IntentService(self.bus)
        self.skill = find_skill_plugins()[SKILL](bus=self.bus, skill_id=SKILL)
        self.skill.clock = self.clock

    def restart(
        self, *, text: bool = False, lag_seconds: float = 0.0, reports: bool = True
    ) -> None:
        """Start over with no conversation; `text` for devices without a speaker of their own."""
        self.skill.settings["speech"] = "text" if text else "sound"
        self.lag_seconds, self.reports = lag_seconds, reports
        self.clock = self.skill.clock = VirtualClock()
        for kept in (self.skill._talks, self._due, self.sounds, self.messages, self.failures):
            kept.clear()

    def close(self) -> None:
        """Unload the skill as OVOS does."""
        self.skill.shutdown()
        self.skill.default_shutdown()

    # --- What people do

    def says(self, *hypotheses: str, session: str = "default", lang: str = "en-US") -> None:
        """Somebody says something to a device."""
        context: dict[str, Any] = {"source": "audio", "destination": "skills"}
        if session != "default":
            known = SessionManager.sessions.get(session) or Session(session, pipeline=PIPELINE)
            context["session"] = known.serialize()
        else:
            context["session"] = SessionManager.default_session.serialize()
        said = {"utterances": list(hypotheses), "lang": lang}
        self._answered.clear()
        self.bus.emit(Message("recognizer_loop:utterance", said, context))
        # OVOS lets a skill converse on a thread, so that it can be killed.
        assert self._answered.wait(10.0), f"OVOS never came back from {hypotheses}"

    def waits(self, seconds: float) -> None:
        """Time passes."""
        end = self.clock.now() + seconds
        while (at := self._next()) is not None and at <= end:
            self.clock.wait_until(at)
            self._happen(at)
        self.clock.wait_until(end)

    def listens(self) -> None:
        """Time passes until the device opens its microphone by itself."""
        before = len(self.emitted("mycroft.mic.listen"))
        while len(self.emitted("mycroft.mic.listen")) == before:
            at = self._next()
            assert at is not None, "nothing will ever be asked"
            self.clock.wait_until(at)
            self._happen(at)

    # What is heard.

    def heard(self, session: str = "default") -> list[Sound]:
        """Return what has been heard so far."""
        now = self.clock.now()
        return [s for s in self.sounds.get(session, []) if s.starts < now and s.ends > s.starts]

    def words(self, session: str = "default") -> list[str]:
        """Return the lines of text so far."""
        return [sound.text for sound in self.sounds.get(session, []) if sound.text]

    def is_silent(self, session: str = "default") -> bool:
        """Return whether nothing sounds now."""
        return all(s.ends <= self.clock.now() for s in self.sounds.get(session, []))

    def recording(self, session: str = "default") -> Pcm:
        """Return all that was heard, as a microphone in the room would have it."""
        parts = [(s, s.pcm) for s in self.heard(session) if s.pcm is not None]
        rate = parts[0][1].rate
        out = np.zeros(round(max(part.ends for part, _ in parts) * rate) + 1, np.int16)
        for part, sound in parts:
            first = round(part.starts * rate)
            samples = sound.samples[: round((part.ends - part.starts) * rate)]
            out[first : first + len(samples)] = samples
        return Pcm(out[: round(self.clock.now() * rate)], rate)

    def emitted(self, kind: str) -> list[Message]:
        """Return the messages of a type so far."""
        return [message for message in self.messages if message.msg_type == kind]

    # OVOS's scheduler and audio service.

    def _schedule(self, message: Message) -> None:
        at = message.data["data"]["at"]
        ticks = np.ceil(at / TICK_SECONDS)
        event = Message(message.data["event"], message.data["data"], message.context)
        self._due[message.data["event"]] = (float(ticks * TICK_SECONDS), event)

    def _unschedule(self, message: Message) -> None:
        self._due.pop(message.data["event"], None)

    def _all(self) -> list[Sound]:
        return [sound for sounds in self.sounds.values() for sound in sounds]

    def _next(self) -> float | None:
        due = [at for at, _ in self._due.values()]
        due += [sound.starts for sound in self._all() if not sound.reported]
        return min(due, default=None)

    def _happen(self, at: float) -> None:
        for session, sounds in self.sounds.items():
            for sound in sounds:
                if not sound.reported and sound.starts <= at:
                    sound.reported = True
                    if self.reports and sound.ends > sound.starts:
                        self._report(session, sound)
        for name, (due, event) in list(self._due.items()):
            if due <= at:
                del self._due[name]
                self.bus.emit(event)

    def _report(self, session: str, sound: Sound) -> None:
        context = {"session": {"session_id": session}}
        kind = "recognizer_loop:utterance_start"
        self.bus.emit(Message(kind, {"uri": sound.uri}, context))

    def _queue(self, message: Message) -> None:
        if data := message.data.get("binary_data"):
            with tempfile.NamedTemporaryFile(suffix=".wav") as file:
                file.write(binascii.unhexlify(data))
                file.flush()
                sound = audio_file.read(file.name)
        else:
            sound = audio_file.read(Path(message.data["uri"]))
        self._add(message, sound, "", sound.seconds)

    def _speak(self, message: Message) -> None:
        text = message.data["utterance"]
        self._add(message, None, text, 0.0)

    def _add(self, message: Message, sound: Pcm | None, text: str, seconds: float) -> None:
        sounds = self.sounds.setdefault(SessionManager.get(message).session_id, [])
        free = max([self.clock.now(), *(s.ends for s in sounds)])
        starts = free + self.lag_seconds
        sounds.append(Sound(sound, text, message.data.get("uri", ""), starts, starts + seconds))

    def _cut(self, message: Message) -> None:
        now = self.clock.now()
        for sound in self.sounds.get(SessionManager.get(message).session_id, []):
            sound.starts, sound.ends = min(sound.starts, now), min(sound.ends, now)

    def _fail(self, message: Message) -> None:
        self.failures += message.data["utterances"]
