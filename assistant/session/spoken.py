"""The spoken conversation: blocks of microphone sound in, the timeline out.

It is driven block by block, by a microphone in real time or by a file as fast as it goes; both hear
and answer the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import Protocol

from assistant.asr.vosk_recogniser import UNKNOWN, Hypothesis, Recogniser
from assistant.audio.pcm import Samples
from assistant.dialogue.actions import Action, Listen
from assistant.dialogue.events import Event, HoldFinished, SpeechFinished
from assistant.dialogue.turn import QUESTIONS, State
from assistant.nlu.normalise import surface
from assistant.nlu.repair import SESSION
from assistant.playback.timeline import Finished, Timeline
from assistant.session.nbest import early, likeliest
from assistant.session.session import Output, Session

_LIKELIER = 3
"""How many times more a likely phrase stands in the grammar; chosen with bench/hearing.py."""
_UNLIKELIER = 95 * (UNKNOWN,)
"""What stands besides in the grammar while nothing runs and most talk is not for Charley. In 80
minutes of reading 48 in all let 2 routines start, 96 let 1, for one in 262 of the starts."""


class TimedOutput(Output, Protocol):
    """An output that can be moved through time."""

    def advance(self, to: float) -> Event | None:
        """Play up to a time, but no further than the next event, and return that."""


class Sound:
    """The timeline as an output; its own time is the samples that were pulled from it."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._finished: list[Finished] = []

    def perform(self, action: Action) -> None:
        """Queue, lay in or drop sound as the action says."""
        self._timeline.perform(action)

    @property
    def hold_seconds(self) -> float | None:
        """How far the running hold has come; None outside a count."""
        return self._timeline.hold_seconds

    @property
    def lines_left(self) -> int:
        """How many spoken lines were not heard to their end."""
        return self._timeline.lines_left

    def advance(self, to: float) -> Event | None:
        """Return the next thing that finished playing; None if there is none."""
        self._finished += self._timeline.take_finished()
        if not self._finished:
            return None
        kind = self._finished.pop(0).kind
        return HoldFinished(to) if kind == "hold" else SpeechFinished(to)


class Vocabulary(Protocol):
    """What knows the words of a moment: the intents."""

    def phrases(
        self, context: frozenset[str] | None = None, among: frozenset[str] | None = None
    ) -> tuple[str, ...]:
        """Return phrases for the recogniser's grammar, of all intents or among some."""


class Ear:
    """The recogniser, listening for what the present state can understand."""

    def __init__(self, recogniser: Recogniser, vocabulary: Vocabulary) -> None:
        self._recogniser = recogniser
        self._vocabulary = vocabulary

    def listen(self, to: Listen) -> None:
        """Understand what may be said from the next utterance on, the likely most easily."""
        self._recogniser.listen(self._phrases(to))

    def prepare(self, moments: Iterable[Listen]) -> None:
        """Gather the phrases of moments to come, so that listening to them starts at once."""
        for to in moments:
            self._phrases(to)

    def _phrases(self, to: Listen) -> tuple[str, ...]:
        may_be_said = self._vocabulary.phrases(to.context)
        if SESSION not in to.context:
            may_be_said += _UNLIKELIER
        return may_be_said + _LIKELIER * self._vocabulary.phrases(to.context, to.expects)

    def feed(self, block: Samples) -> list[Hypothesis]:
        """Return what the block brought to light."""
        return self._recogniser.feed(block)


class _Echo:
    """Tells what comes back from Charley's own loudspeaker from what a person says.

    A word is Charley's if Charley was saying it when the word was first heard; in a final
    hypothesis, which may put old words anew, if it was at any time in the utterance. What is
    unknown counts as Charley's while Charley speaks: to answer it would be to speak again, and so
    without end.
    """

    def __init__(self, own_words: Callable[[], str]) -> None:
        self._own_words = own_words
        self._heard: list[tuple[str, bool]] = []
        """The words of the utterance so far, and whether each is Charley's."""
        self._said: set[str] = set()
        """What Charley said while they were heard."""
        self._said_last: set[str] = set()
        """The same for the utterance that ended last."""

    @property
    def was_speaking(self) -> bool:
        """True if Charley spoke during the utterance that ended last."""
        return bool(self._said_last)

    def was_all(self, text: str) -> bool:
        """Tell whether Charley said all these words during the utterance that ended last."""
        return all(_is_own(word, self._said_last) for word in text.split())

    def is_all(self, hypothesis: Hypothesis) -> bool:
        """Tell whether Charley alone spoke the words; of a partial hypothesis, the stable ones."""
        now = set(surface(self._own_words()).split())
        words = hypothesis.text.split()
        if hypothesis.final:
            self._said_last, self._said, self._heard = self._said | now, set(), []
            return self.was_all(hypothesis.text)
        same = _in_common([word for word, _ in self._heard], words)
        # Nothing in common: another utterance has begun, and the last one came to nothing.
        self._said = self._said | now if same else now
        self._heard[same:] = [(word, _is_own(word, now)) for word in words[same:]]
        return all(is_own for _, is_own in self._heard[: hypothesis.stable_words])


def _is_own(word: str, said: set[str]) -> bool:
    return bool(said) and (word == UNKNOWN or word in said)


def _in_common(before: list[str], now: list[str]) -> int:
    """Return how many leading words are the same."""
    pairs = zip(before, now, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


class SpokenConversation:
    """A session that hears and speaks."""

    def __init__(
        self,
        session: Session,
        output: TimedOutput,
        ear: Ear | None,
        own_words: Callable[[], str] | None = None,
    ) -> None:
        """`own_words` returns what Charley says just now, where the microphone can hear it."""
        self.session = session
        self._output = output
        self._ear = ear
        self._echo = _Echo(own_words) if own_words else None
        self._was_early = False
        """True once a partial hypothesis of the utterance was answered."""

    def tick(self, at: float, block: Samples | None = None) -> None:
        """Answer everything that happened up to a time, the block of microphone sound included."""
        for hypothesis in self._ear.feed(block) if self._ear and block is not None else ():
            self._hear(hypothesis, at)
        while (event := self._output.advance(at)) is not None:
            self.session.handle(event)
        self.session.fire(at)

    def _hear(self, hypothesis: Hypothesis, at: float) -> None:
        is_echo = self._echo is not None and self._echo.is_all(hypothesis)
        if not hypothesis.final:
            if self.session.now.speaking and not is_echo and not self._was_early:
                text = early(hypothesis.stable_text, self.session.understand)
                self._was_early = bool(text) and self.session.hear_early(text, at)
            return
        # The session waits for the end of an utterance of which it has answered the beginning.
        was_early, self._was_early = self._was_early, False
        is_said = bool(hypothesis.text) and not is_echo
        if is_said or was_early:
            self._hear_whole(hypothesis, at, was_early=was_early)

    def _hear_whole(self, heard: Hypothesis, at: float, *, was_early: bool) -> None:
        state = self.session.now.state
        over_voice = self._echo is not None and self._echo.was_speaking
        text = likeliest(
            heard, self.session.understand, is_idle=state is State.IDLE, is_over_voice=over_voice
        )
        if self._echo and self._echo.was_all(text) and not was_early:
            return  # a misheard echo whose better alternative is what Charley said
        is_addressed = state in QUESTIONS or any(word != UNKNOWN for word in text.split())
        # What makes no sense may be the rest of an echo; to answer that would make the next one.
        is_addressed = is_addressed and not over_voice
        self.session.hear(text, at, addressed=is_addressed)
