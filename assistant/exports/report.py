"""What happened in a session: the facts, and the conversation line by line.

The facts come from replaying the journal, so a page knows every state and every count without
any sound. report_text.py puts them into sentences, report_svg.py into a picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from assistant.asr.hypothesis import readable
from assistant.content.language_pack import LanguagePack
from assistant.content.ui_text import UiText
from assistant.dialogue.actions import Count, Hush
from assistant.dialogue.events import Event, HoldFinished, UtteranceHeard, UtteranceMissed
from assistant.dialogue.hold import Hold
from assistant.dialogue.state import DialogueState, State
from assistant.dialogue.triggers import Intent
from assistant.playback.captions import Caption
from assistant.session.replay import CaptionAligner, Moment

_FEELINGS = frozenset({Intent.RELIEF_GONE, Intent.STILL_HURTS, Intent.WORSE, Intent.CAME_BACK})
_AT_WORK = frozenset({State.GUIDING, State.HOLDING, State.CHECKING, State.RESTING})


@dataclass(slots=True)
class Held:
    """One counted hold, with its interruptions."""

    of: int
    """Counts in the whole hold."""
    ticks: list[float] = field(default_factory=list)
    """When each count was heard, in seconds of the session."""
    is_whole: bool = False
    """True if it was counted to its end."""


@dataclass(slots=True)
class Bout:
    """One cramp that was coached."""

    began: float
    muscle: str
    """As spoken."""
    side: str = ""
    positions: list[str] = field(default_factory=list)
    """In the words of the language, in the order in which they were tried."""
    is_return: bool = False
    holds: list[Held] = field(default_factory=list)
    feelings: list[str] = field(default_factory=list)
    """How it felt, each time the user said so: the names of the intents."""
    gone_at: float | None = None
    """When it was gone; None if nobody said so."""
    ending: str = ""
    """What else ended it: a key of "outcome" in pages.yaml."""

    @property
    def name(self) -> str:
        """Side and muscle."""
        return f"{self.side} {self.muscle}".strip()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the conversation."""

    at: float
    kind: str
    """"say", "interject", "chime", "you", "missed" or "hold"."""
    text: str
    state: State
    held: Held | None = None
    is_alarm: bool = False
    """True if it raised a red flag."""


@dataclass(slots=True)
class Page:
    """One session."""

    words: UiText
    began: datetime | None
    seconds: float = 0.0
    bouts: list[Bout] = field(default_factory=list)
    flags: list[tuple[float, str]] = field(default_factory=list)
    """When a red flag was raised, and which, in words."""
    rows: list[Row] = field(default_factory=list)
    bands: list[tuple[float, State]] = field(default_factory=list)
    """When each state began."""
    utterances: int = 0
    misses: int = 0
    differences: int = 0
    """Events that Charley would answer differently now; if any, the page may be wrong."""

    @property
    def returns(self) -> int:
        """How often a cramp came back."""
        return sum(bout.is_return for bout in self.bouts)


def page(moments: Iterable[Moment], pack: LanguagePack, began: datetime | None) -> Page:
    """Return what happened in a replayed session."""
    builder = _PageBuilder(pack, began)
    for moment in moments:
        builder.note(moment)
    return builder.close()


class _PageBuilder:
    """Collects a page while a session is replayed."""

    def __init__(self, pack: LanguagePack, began: datetime | None) -> None:
        self._pack = pack
        self._page = Page(pack.ui_text, began)
        self._aligner = CaptionAligner(self._heard)
        self._state = State.IDLE
        self._held: Held | None = None
        self._hold: Hold | None = None
        """What was last asked to be counted of it."""
        self._is_counting = False

    def note(self, moment: Moment) -> None:
        """Take in one event and its answer."""
        self._aligner.reach(moment.event)
        at, page = moment.event.at, self._page
        page.seconds = max(page.seconds, at)
        page.differences += moment.differs
        is_alarm = self._note_flag(moment)
        self._note_words(moment, is_alarm=is_alarm)
        self._note_hold(moment)
        self._note_bout(moment)
        if not page.bands or moment.after.state is not self._state:
            page.bands.append((at, moment.after.state))
        self._state = moment.after.state
        self._aligner.perform(moment.actions)

    def close(self) -> Page:
        """Return the page."""
        self._aligner.close()
        last = self._page.rows[-1].at if self._page.rows else 0.0
        self._page.seconds = max(self._page.seconds, last)
        for bout in self._page.bouts:
            bout.holds = [held for held in bout.holds if held.ticks]
        return self._page

    def _heard(self, caption: Caption) -> None:
        if caption.kind != "count":
            if (caption.kind, caption.text) != ("chime", "end"):  # a count's end is seen
                self._row(caption.at, caption.kind, caption.text)
        elif self._held is not None:
            if not self._held.ticks:
                self._row(caption.at, "hold", "", self._held)
            self._held.ticks.append(caption.at)

    def _row(self, at: float, kind: str, text: str, held: Held | None = None) -> None:
        self._page.rows.append(Row(at, kind, text, self._state, held))

    def _note_flag(self, moment: Moment) -> bool:
        before, after = moment.before, moment.after
        is_new = before.state is not State.WARNED or before.red_flag != after.red_flag
        if after.state is not State.WARNED or not is_new:
            return False
        self._page.flags.append((moment.event.at, self._pack.red_flags.flags[after.red_flag].name))
        return True

    def _note_words(self, moment: Moment, *, is_alarm: bool) -> None:
        event = moment.event
        if not isinstance(event, UtteranceHeard | UtteranceMissed):
            return
        is_missed = isinstance(event, UtteranceMissed)
        self._page.utterances += 1
        self._page.misses += is_missed
        kind = "missed" if is_missed else "you"
        row = Row(event.at, kind, self._said(event), moment.before.state, None, is_alarm)
        self._page.rows.append(row)

    def _said(self, event: UtteranceHeard | UtteranceMissed) -> str:
        words = self._page.words
        if event.text:
            return readable(event.text)
        if isinstance(event, UtteranceMissed):
            return words("talk.unkept")
        return words("talk.meant", meaning=", ".join(self._meant(event)))

    def _meant(self, event: UtteranceHeard) -> Iterator[str]:
        """Yield what an utterance meant whose words were not kept."""
        pack, slots = self._pack, event.slots
        flag = pack.red_flags.flags.get(event.intent)
        yield flag.name if flag else self._page.words.meanings.get(event.intent, event.intent)
        named = (r.name for r in pack.routines.values() if r.muscle == slots.get("muscle"))
        yield from (name for name in [next(named, "")] if name)
        for name, table in (("side", pack.prompts.sides), ("position", pack.prompts.positions)):
            if slots.get(name) in table:
                yield table[slots[name]]

    def _note_hold(self, moment: Moment) -> None:
        if self._is_counting:
            self._set_ticks(moment.event)
        if isinstance(moment.event, HoldFinished) and self._held:
            self._held.is_whole = self._is_counting
            self._held, self._is_counting = None, False
        for action in moment.actions:
            if isinstance(action, Hush):
                self._is_counting = False
            if isinstance(action, Count):
                self._count(action.hold)

    def _set_ticks(self, event: Event) -> None:
        """Move the counts to where an event says they were; captions only estimate it."""
        if self._held is None or self._hold is None:
            return
        hold, ticks = self._hold, self._held.ticks
        since = getattr(event, "hold_position_seconds", None)
        if isinstance(event, HoldFinished):
            since = (hold.seconds - hold.start_count) * hold.beat
        if since is not None:
            for number in range(hold.start_count, len(ticks)):
                ticks[number] = event.at - since + (number + 1 - hold.start_count) * hold.beat

    def _count(self, hold: Hold) -> None:
        """A hold begins, or goes on from a count that may lie behind those already heard."""
        if self._held is None or hold.start_count == 0:
            self._held = Held(hold.seconds)
        self._held.of = hold.seconds
        del self._held.ticks[hold.start_count :]
        self._hold = hold
        self._is_counting = True

    def _note_bout(self, moment: Moment) -> None:
        before, after = moment.before, moment.after
        is_return = after.returns > before.returns and after.state is not State.ASKING
        if after.routines_begun > before.routines_begun or is_return:
            self._begin(moment, is_return=is_return or after.returns > 0)
        if self._page.bouts:
            bout = self._page.bouts[-1]
            self._note_position(bout, after)
            self._note_held(bout)
            _note_feeling(bout, moment)
            _note_ending(bout, moment)

    def _note_held(self, bout: Bout) -> None:
        if self._held is not None and self._held not in bout.holds and self._is_counting:
            bout.holds.append(self._held)

    def _begin(self, moment: Moment, *, is_return: bool) -> None:
        page, after = self._page, moment.after
        last = page.bouts[-1] if page.bouts else None
        if last and last.gone_at is None and not any(held.ticks for held in last.holds):
            page.bouts.pop()  # begun again before anything was held
        elif last and last.gone_at is None and not last.ending:
            last.ending = "another"
        name = self._pack.routines[after.routine].name
        page.bouts.append(Bout(moment.event.at, name, is_return=is_return))

    def _note_position(self, bout: Bout, now: DialogueState) -> None:
        if now.state not in _AT_WORK:
            return
        routine = self._pack.routines[now.routine]
        bout.side = "" if routine.both else self._pack.prompts.sides.get(now.side, "")
        position = now.position or "standing"
        # A journal may be of a Charley that knew other positions.
        position = self._pack.prompts.positions.get(position, position)
        if position not in bout.positions[-1:]:
            bout.positions.append(position)


def _note_feeling(bout: Bout, moment: Moment) -> None:
    """Keep what was said about the cramp until it was gone."""
    intent = _intent(moment)
    if intent in _FEELINGS and moment.before.state is not State.IDLE and bout.gone_at is None:
        bout.feelings.append(intent)


def _note_ending(bout: Bout, moment: Moment) -> None:
    """Keep when a cramp was gone, or what else ended the coaching."""
    before, after = moment.before, moment.after
    if after.state is State.EASING and before.state is not State.EASING:
        bout.gone_at = moment.event.at
    elif bout.gone_at is None and after.state in _AT_WORK:
        bout.ending = ""
    elif bout.gone_at is None:
        bout.ending = bout.ending or _ending(_intent(moment), before, after)


def _intent(moment: Moment) -> str:
    return moment.event.intent if isinstance(moment.event, UtteranceHeard) else ""


def _ending(intent: str, before: DialogueState, after: DialogueState) -> str:
    """Return what ends a cramp that is not known to be gone; empty if it goes on."""
    if after.state is State.WARNED:
        return "flagged"
    if after.state is State.IDLE and before.state is not State.IDLE:
        return "stopped" if intent == Intent.CONTROL_STOP else "left_off"
    return ""
