"""A typed conversation in any language, with the keys of what Charley said."""

from __future__ import annotations

from assistant.clock import VirtualClock
from assistant.content.language_pack import LanguagePack
from assistant.dialogue.actions import Action, Say
from assistant.dialogue.events import Event
from assistant.dialogue.state import CoachingOptions
from assistant.nlu.matcher import Matcher
from assistant.playback.captions import Caption, CaptionTimeline
from assistant.session.scripted_user import ScriptedUser
from assistant.session.session import Session
from assistant.session.timed import TimedConversation


class Talk:
    """A conversation that was held to its end."""

    def __init__(self, pack: LanguagePack, matcher: Matcher, *said: str) -> None:
        self.keys: list[str] = []
        self.heard: list[str] = []
        captions = CaptionTimeline(self._hear)
        self.session = Session(pack, matcher, CoachingOptions(), captions, watch=self._watch)
        conversation = TimedConversation(self.session, captions, VirtualClock())
        conversation.start(first_time=False)
        conversation.play(ScriptedUser(said, self.session.meaning))

    def _hear(self, caption: Caption) -> None:
        if caption.kind != "chime":
            self.heard.append(caption.text)

    def _watch(self, _event: Event, actions: tuple[Action, ...]) -> None:
        self.keys += [action.key for action in actions if isinstance(action, Say)]
