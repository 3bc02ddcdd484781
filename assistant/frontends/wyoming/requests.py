"""The requests of one connection: describe, transcribe, answer, speak; or a satellite's."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.handle import Handled, NotHandled
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.tts import (
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
)

from assistant.errors import AssistantError, NetworkError
from assistant.frontends.home_assistant.announce import Announcer
from assistant.frontends.monitoring.metrics import Measures
from assistant.frontends.wyoming import tts
from assistant.frontends.wyoming.asr import Transcription
from assistant.frontends.wyoming.audio_in import Incoming
from assistant.frontends.wyoming.wire import Limits
from assistant.session.shared import SharedParts
from assistant.session.text_turns import Turns

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Services:
    """What every connection needs."""

    parts: SharedParts
    turns: Turns
    measures: Measures
    limits: Limits
    threads: Executor
    info: Info
    announcer: Announcer | None = None
    """Pushes the steps that come after a reply; None if they wait to be asked for."""

    async def work(self, job: Callable[..., Result], *arguments: object) -> Result:
        """Do slow work on a worker thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.threads, lambda: job(*arguments))


class Requests:
    """The requests of one connection; state is kept from one message to the next."""

    def __init__(self, services: Services, peer: str = "") -> None:
        """`peer` is the address of the other side."""
        self._services = services
        self._peer = peer
        self._own_key = f"connection {next(_NUMBERS)}"
        """Whose conversation it is where a client does not say so."""
        self._incoming = Incoming()
        self._transcription: Transcription | None = None
        self._streamed: list[str] | None = None
        """The text of a streaming request to speak; None outside one."""
        self._voice = ""

    async def close(self) -> None:
        """Return what a broken connection had borrowed."""
        if self._transcription is not None:
            await self._services.work(self._transcription.finish)
            self._transcription = None

    async def answer(self, event: Event) -> AsyncIterator[Event]:
        """Yield the answers to a message; what is not known has none. Raises NetworkError."""
        if Describe.is_type(event.type):
            yield self._services.info.event()
        elif Ping.is_type(event.type):
            yield Pong(_text(event, 1_000)).event()
        elif Transcript.is_type(event.type):
            yield await self._handled(event)
        elif event.type in _HEARING:
            async for answer in self._heard(event):
                yield answer
        elif event.type in _SPEAKING:
            async for answer in self._spoken(event):
                yield answer

    # handle

    async def _handled(self, event: Event) -> Event:
        services = self._services
        services.measures.requested("handle")
        text = _text(event, services.limits.data_bytes)
        context = event.data.get("context")
        who = context if isinstance(context, dict) else {}
        key = _key(who) or self._own_key
        if services.announcer:
            services.announcer.interrupt(key)
        reply = await services.work(services.turns.say, key, text, self._peer)
        services.measures.turns.set(len(services.turns))
        if not reply.handled:
            return NotHandled(reply.text, context=who or None).event()
        if services.announcer:
            services.announcer.follow(key, who.get("satellite_id"), reply)
        return Handled(reply.text, context=who or None).event()

    # asr

    async def _heard(self, event: Event) -> AsyncIterator[Event]:
        services = self._services
        if Transcribe.is_type(event.type) or AudioStart.is_type(event.type):
            if self._transcription is None:
                services.measures.requested("asr")
                self._incoming = Incoming()
                self._transcription = await services.work(Transcription, services.parts)
                yield TranscriptStart(language=services.parts.settings.language).event()
        elif self._transcription is None:
            return
        elif AudioChunk.is_type(event.type):
            samples = self._incoming.take(event)
            if self._transcription.seconds > services.limits.audio_seconds:
                raise NetworkError(
                    f"An utterance may be {services.limits.audio_seconds:g} seconds long."
                )
            if certain := await services.work(self._transcription.feed, samples):
                yield TranscriptChunk(f"{certain} ").event()
        elif AudioStop.is_type(event.type):
            transcription, self._transcription = self._transcription, None
            text = await services.work(transcription.finish)
            language = services.parts.settings.language
            yield TranscriptStop().event()
            yield Transcript(text, language=language).event()

    # tts

    async def _spoken(self, event: Event) -> AsyncIterator[Event]:
        if SynthesizeStart.is_type(event.type):
            self._streamed, self._voice = [], _voice(event)
        elif SynthesizeChunk.is_type(event.type):
            self._keep(event)
        elif SynthesizeStop.is_type(event.type):
            text, self._streamed = "".join(self._streamed or ()), None
            async for answer in self._sound(text, self._voice):
                yield answer
            yield SynthesizeStopped().event()
        elif self._streamed is None:
            # Inside a streamed request it is a copy, for services that cannot stream.
            text = _text(event, self._services.limits.text_characters)
            async for answer in self._sound(text, _voice(event)):
                yield answer

    def _keep(self, event: Event) -> None:
        most = self._services.limits.text_characters
        if self._streamed is not None:
            self._streamed.append(_text(event, most))
            if sum(map(len, self._streamed)) > most:
                raise NetworkError(f"A text may be {most} characters long.")

    async def _sound(self, text: str, voice: str) -> AsyncIterator[Event]:
        services = self._services
        services.measures.requested("tts")
        try:
            sound = await services.work(tts.spoken, services.parts, text, voice)
        except NetworkError:
            raise
        except AssistantError as error:
            yield Error(str(error), error.code).event()
            sound = np.zeros(0, np.int16)  # a client waits for the end of the sound all the same
        for message in tts.messages(sound):
            yield message


_NUMBERS = itertools.count(1)
_HEARING = frozenset({"transcribe", "audio-start", "audio-chunk", "audio-stop"})
_SPEAKING = frozenset({"synthesize", "synthesize-start", "synthesize-chunk", "synthesize-stop"})


def _text(event: Event, most: int) -> str:
    """Return a message's text; NetworkError if it is none or too long."""
    text = event.data.get("text")
    if text is None:
        return ""
    if not isinstance(text, str) or len(text) > most:
        raise NetworkError(f"A text may be {most} characters long.")
    return text


def _voice(event: Event) -> str:
    voice: Any = event.data.get("voice")
    name = voice.get("name") if isinstance(voice, dict) else None
    return name if isinstance(name, str) else ""


def _key(who: dict[str, Any]) -> str:
    """Return the key of a conversation: satellite, else device, else conversation, or empty.

    Home Assistant begins a new conversation at each wake word; the room stays the same.
    """
    for name in ("satellite_id", "device_id", "conversation_id"):
        value = who.get(name)
        if isinstance(value, str) and value:
            return f"{name} {value[:100]}"
    return ""
