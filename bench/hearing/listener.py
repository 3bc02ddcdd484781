"""Charley's ears for the benches: exactly what `charley run` listens with, in any state."""

from __future__ import annotations

import time
from functools import partial

from assistant.asr.hypothesis import RATE, UNKNOWN, Hypothesis, Recogniser
from assistant.asr.vosk_recogniser import SpeechModel
from assistant.audio.microphone import BLOCK_SECONDS
from assistant.audio.pcm import Samples
from assistant.dialogue.machine import listening
from assistant.dialogue.state import DialogueState, State
from assistant.nlu.intents import Intents
from assistant.nlu.result import Match, NoMatch
from assistant.session import factory, speech_model
from assistant.session.factory import Language
from assistant.session.listening import ContextListener
from assistant.session.nbest import likeliest
from assistant.settings import Settings

Meaning = tuple[str, dict[str, str]] | None
"""An intent and its slots."""
BLOCK = round(BLOCK_SECONDS * RATE)


class Listener:
    """Charley's recogniser and matcher, put into a state for each utterance."""

    def __init__(
        self, model: str | None = None, *, is_gated: bool = True, unknown: int = 0
    ) -> None:
        """`unknown` lists `[unk]` that many more times; without a gate, silence is decoded too."""
        settings = Settings(model=model)
        self.language = factory.language(settings)
        loaded = speech_model.load(self.language.pack, settings)
        make = factory.microphone_recogniser if is_gated else factory.recogniser
        recogniser: Recogniser = make(self.language.pack, loaded)
        self.ear = ContextListener(recogniser, _Vocabulary(self.language.intents, unknown))
        self.busy_seconds = self.seconds = 0.0
        """Processor time, and sound that was heard in it."""

    def understand(self, text: str, state: State) -> Match | NoMatch:
        """Return what the matcher makes of words in a state."""
        return self.language.matcher.match(text, listening(DialogueState(state=state)).context)

    def meaning(self, text: str, state: State) -> Meaning:
        """Return what a typed line means in a state."""
        return _meaning(self.understand(text, state))

    def finals(self, sound: Samples, state: State) -> list[Hypothesis]:
        """Return the utterances that are heard in a sound, 16 kHz; the stream goes on after it."""
        self.ear.listen(listening(DialogueState(state=state)))
        began = time.process_time()
        # Block by block as from a microphone, for an utterance ends at the end of a block.
        heard = [h for at in range(0, len(sound), BLOCK) for h in self.ear.feed(sound[at:][:BLOCK])]
        heard += self.ear.finish()
        self.busy_seconds += time.process_time() - began
        self.seconds += len(sound) / RATE
        return [hypothesis for hypothesis in heard if hypothesis.final]

    def hear(self, sound: Samples, state: State) -> tuple[str, Meaning]:
        """Return the words that were heard, and what they mean; None if it is not one thing."""
        understand = partial(self.understand, state=state)
        is_idle = state is State.IDLE
        said = [likeliest(h, understand, is_idle=is_idle) for h in self.finals(sound, state)]
        found = [meaning for _, match in said if (meaning := _meaning(match))]
        return " ".join(text for text, _ in said), found[0] if len(found) == 1 else None


def _meaning(found: Match | NoMatch) -> Meaning:
    return (found.intent, dict(found.slots)) if isinstance(found, Match) else None


class _Vocabulary:
    """The phrases of some intents, and `[unk]` more often."""

    def __init__(self, intents: Intents, unknown: int) -> None:
        self._intents, self._more = intents, unknown * (UNKNOWN,)

    def phrases(
        self, context: frozenset[str] | None = None, among: frozenset[str] | None = None
    ) -> tuple[str, ...]:
        """Return the phrases of a context; `[unk]` is not added to some of them."""
        found = self._intents.phrases(context, among)
        return found if among is not None else found + self._more


class NotedListener(ContextListener):
    """Charley's listener to a microphone, and all that it heard."""

    def __init__(self, language: Language, model: SpeechModel) -> None:
        super().__init__(factory.microphone_recogniser(language.pack, model), language.intents)
        self.heard: list[Hypothesis] = []
        self.seconds = 0.0
        """How much sound it got: the time of its hypotheses."""

    def feed(self, block: Samples) -> list[Hypothesis]:
        """Return what a block of 16 kHz sound completes or changes."""
        found = super().feed(block)
        self.heard += found
        self.seconds += len(block) / RATE
        return found
