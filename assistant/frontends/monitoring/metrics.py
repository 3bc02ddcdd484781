"""What a running server counts and times, for Prometheus; never a word of what was said."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from assistant.dialogue.actions import Action
from assistant.dialogue.events import Event, UtteranceHeard, UtteranceMissed

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 5.0)


_REASONS = ("message", "slow", "connections", "sessions", "fault")
_SERVICES = ("handle", "asr", "tts")


class Measures:
    """The numbers of one process."""

    def __init__(self, intents: Iterable[str] = ()) -> None:
        """Count from 0 all that can be counted, so that a first red flag is an increase, too."""
        self.registry = CollectorRegistry()
        every: dict[str, Any] = {"registry": self.registry}
        self.sessions = Gauge("charley_sessions", "Conversations by sound now.", **every)
        self.connections = Gauge("charley_connections", "Connections accepted now.", **every)
        self.turns = Gauge("charley_text_conversations", "Conversations by text kept now.", **every)
        self._messages = Counter("charley_messages", "Messages received.", **every)
        self._utterances = Counter(
            "charley_utterances", "Utterances, by sound or text and whether understood.",
            ["by", "result"], **every,
        )  # fmt: skip
        self._intents = Counter("charley_intents", "Utterances by meaning.", ["intent"], **every)
        self._thinking = Histogram(
            "charley_block_seconds", "A block of sound: from its arrival to all its answers.",
            buckets=_SECONDS, **every,
        )  # fmt: skip
        self._answers = Histogram(
            "charley_answer_seconds", "From the end of an utterance to the first sound sent.",
            buckets=_SECONDS, **every,
        )  # fmt: skip
        self._dropped = Counter(
            "charley_dropped_audio_seconds", "Sound that came faster than it was heard.", **every
        )
        self._rejected = Counter(
            "charley_rejected", "Connections and messages refused, by reason.", ["reason"], **every
        )
        self._requests = Counter("charley_requests", "Service requests.", ["service"], **every)
        self._reconnects = Counter(
            "charley_reconnects", "Satellites lost and looked for again.", **every
        )

        for by, result in product(("sound", "text"), ("understood", "missed")):
            self._utterances.labels(by, result)
        for intent in intents:
            self._intents.labels(intent)
        for reason in _REASONS:
            self._rejected.labels(reason)
        for service in _SERVICES:
            self._requests.labels(service)

    def watch(self, by: str) -> Callable[[Event, tuple[Action, ...]], None]:
        """Return what counts all that a session hears, by sound or by text."""

        def noted(event: Event, _actions: tuple[Action, ...]) -> None:
            if isinstance(event, UtteranceHeard):
                self._utterances.labels(by, "understood").inc()
                self._intents.labels(event.intent).inc()
            elif isinstance(event, UtteranceMissed):
                self._utterances.labels(by, "missed").inc()

        return noted

    def received(self) -> None:
        """A message came."""
        self._messages.inc()

    def thought(self, seconds: float) -> None:
        """Note how long after its arrival a block of sound was answered."""
        self._thinking.observe(seconds)

    def answered(self, seconds: float) -> None:
        """The first sound of an answer was sent."""
        self._answers.observe(seconds)

    def dropped(self, seconds: float) -> None:
        """Sound was dropped."""
        self._dropped.inc(seconds)

    def rejected(self, reason: str) -> None:
        """Something was refused; the reason is one of a few words."""
        self._rejected.labels(reason).inc()

    def requested(self, service: str) -> None:
        """A service was asked."""
        self._requests.labels(service).inc()

    def reconnecting(self) -> None:
        """A satellite was lost or could not be reached."""
        self._reconnects.inc()
