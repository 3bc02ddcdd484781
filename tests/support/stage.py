"""A stage for conversations: a user who speaks in intents, a clock that jumps, a transcript."""

from __future__ import annotations

from assistant.clock import VirtualClock
from assistant.content import language_pack
from assistant.content.language_pack import LanguagePack
from assistant.dialogue.actions import Action, Say
from assistant.dialogue.events import Event, UtteranceHeard, UtteranceMissed
from assistant.dialogue.state import CoachingOptions, DialogueState, State
from assistant.nlu.matcher import NoMatch
from assistant.playback.captions import Caption, CaptionTimeline
from assistant.session.scripted_user import awaits_user
from assistant.session.session import Session
from assistant.session.timed import TimedConversation
from tests.support import ROOT

ENGLISH = ROOT / "intents" / "en"
PACK = language_pack.load(ENGLISH)


class NoWords:
    """Understands nothing, for utterances are given as intents."""

    def match(self, text: str, context: frozenset[str] | None = None) -> NoMatch:
        """Return that nothing was understood."""
        return NoMatch(text, f"only intents are understood, not {context}")


class Stage:
    """One conversation whose user says what they mean: `stage.says("cramp", muscle="calf")`."""

    def __init__(
        self,
        *,
        first_time: bool = False,
        coaching: CoachingOptions | None = None,
        start: DialogueState | None = None,
        pack: LanguagePack = PACK,
    ) -> None:
        self.heard: list[Caption] = []
        self.keys: list[str] = []
        self.clock = VirtualClock()
        self.captions = CaptionTimeline(self.heard.append)
        self.session = Session(
            pack,
            NoWords(),
            coaching or CoachingOptions(),
            self.captions,
            watch=self._watch,
            start=start,
        )
        self.play = TimedConversation(self.session, self.captions, self.clock)
        self.play.start(first_time=first_time)

    def _watch(self, _event: Event, actions: tuple[Action, ...]) -> None:
        self.keys += [action.key for action in actions if hasattr(action, "key")]

    @property
    def state(self) -> State:
        """Where the conversation is."""
        return self.session.now.state

    @property
    def words(self) -> list[str]:
        """Everything heard so far, counts included."""
        return [caption.text for caption in self.heard if caption.kind != "chime"]

    def says(self, intent: str, **slots: str) -> list[str]:
        """The user says something now; return what Charley had queued in answer."""
        at = self.clock.now()
        self.captions.advance(at)
        hold, left = self.captions.hold_position_seconds, self.captions.lines_left
        return self._answered(UtteranceHeard(at, intent, intent, slots, hold, left))

    def mumbles(self) -> list[str]:
        """The user says something that nobody understands."""
        return self._answered(UtteranceMissed(self.clock.now(), "mumble"))

    def _answered(self, event: Event) -> list[str]:
        before = len(self.keys)
        self.session.handle(event)
        return self.keys[before:]

    def listens(self) -> list[str]:
        """Let Charley speak until the user's turn; return the texts that were heard meanwhile."""
        before = len(self.heard)
        while not awaits_user(self.session.now) and self.play.run_next(float("inf")):
            pass
        return [caption.text for caption in self.heard[before:]]

    def waits(self, seconds: float) -> list[str]:
        """Let time pass; return the texts that were heard meanwhile."""
        before, end = len(self.heard), self.clock.now() + seconds
        while self.play.run_next(end):
            pass
        self.clock.wait_until(end)
        self.captions.advance(end)
        return [caption.text for caption in self.heard[before:]]

    def until(self, state: State) -> Stage:
        """Let time pass until a state is reached."""
        while self.state is not state:
            assert self.play.run_next(float("inf")), f"never {state.value}"
        return self

    def until_count(self, count: int) -> Stage:
        """Let time pass until a count of the running hold was spoken."""
        self.until(State.HOLDING)
        while (self.captions.hold_position_seconds or 0.0) < count:
            assert self.play.run_next(float("inf")), "the hold never runs"
        return self


def said(actions: tuple[Action, ...]) -> list[str]:
    """Return the texts of the lines among some actions."""
    return [action.text for action in actions if isinstance(action, Say)]
