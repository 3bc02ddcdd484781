"""The spoken conversation: blocks of microphone sound in, the timeline out.

It is driven block by block, by a microphone in real time or by a file as fast as it goes; both hear
and answer the same.
"""

from __future__ import annotations

from collections.abc import Callable

from assistant.asr.hypothesis import Hypothesis, known
from assistant.audio.pcm import Samples
from assistant.dialogue.state import QUESTIONS, State
from assistant.playback.outputs import Output
from assistant.session.listening import ContextListener
from assistant.session.nbest import early, likeliest
from assistant.session.self_hearing import SelfHearing
from assistant.session.session import Session


class SpokenConversation:
    """A session that hears and speaks."""

    def __init__(
        self,
        session: Session,
        output: Output,
        listener: ContextListener | None,
        own_words: Callable[[], str] | None = None,
    ) -> None:
        """`own_words` returns what Charley says just now, where the microphone can hear it."""
        self.session = session
        self._output = output
        self._listener = listener
        self._self_hearing = SelfHearing(own_words) if own_words else None
        self._was_early = False
        """True once a partial hypothesis of the utterance was answered."""

    def tick(self, at: float, block: Samples | None = None) -> None:
        """Answer everything that happened up to a time, the block of microphone sound included."""
        for hypothesis in (
            self._listener.feed(block) if self._listener and block is not None else ()
        ):
            self._hear(hypothesis, at)
        while (event := self._output.advance(at)) is not None:
            self.session.handle(event)
        self.session.fire(at)

    def _hear(self, hypothesis: Hypothesis, at: float) -> None:
        is_own = self._self_hearing is not None and self._self_hearing.is_all(hypothesis)
        if not hypothesis.final:
            if self.session.now.speaking and not is_own and not self._was_early:
                meaning = early(hypothesis.stable_text, self.session.understand)
                self._was_early = meaning is not None and self.session.answer_early(meaning, at)
            return
        # The session waits for the end of an utterance of which it has answered the beginning.
        was_early, self._was_early = self._was_early, False
        is_said = bool(hypothesis.text) and not is_own
        if is_said or was_early:
            self._hear_whole(hypothesis, at, was_early=was_early)

    def _hear_whole(self, heard: Hypothesis, at: float, *, was_early: bool) -> None:
        state = self.session.now.state
        over_voice = self._self_hearing is not None and self._self_hearing.was_speaking
        text, meaning = likeliest(
            heard, self.session.understand, is_idle=state is State.IDLE, is_over_voice=over_voice
        )
        if self._self_hearing and self._self_hearing.was_all(text) and not was_early:
            return  # a misheard echo whose better alternative is what Charley said
        is_addressed = state in QUESTIONS or bool(known(text))
        # What makes no sense may be the rest of an echo; an answer to that would make the next one.
        is_addressed = is_addressed and not over_voice
        self.session.answer(text, meaning, at, addressed=is_addressed)
