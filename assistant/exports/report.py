"""What happened in a session, on one page: the facts, and the conversation line by line.

The facts come from playing the journal again, so a page knows every state and every count, and
needs no sound.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from assistant.asr.hypothesis import readable
from assistant.content.language_pack import LanguagePack
from assistant.content.ui_text import UiText, minutes_seconds
from assistant.dialogue.actions import Count, Hush
from assistant.dialogue.events import Event, HoldFinished, UtteranceHeard, UtteranceMissed
from assistant.dialogue.hold import Hold
from assistant.dialogue.state import DialogueState, State
from assistant.dialogue.triggers import Intent
from assistant.playback.captions import Caption
from assistant.session.replay import Moment, Stage

_FEELINGS = frozenset({Intent.RELIEF_GONE, Intent.STILL_HURTS, Intent.WORSE, Intent.CAME_BACK})
_AT_WORK = frozenset({State.GUIDING, State.HOLDING, State.CHECKING, State.RESTING})


@dataclass(slots=True)
class Held:
    """One counted hold, with its interruptions."""

    of: int
    """Counts of the whole hold."""
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
    told: list[str] = field(default_factory=list)
    """How it felt, each time that it was told: the names of the intents."""
    gone_at: float | None = None
    """When it was gone; None if that was never told."""
    ending: str = ""
    """What ended it otherwise: a key of "outcome" in pages.yaml."""

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
    """True if a red flag was raised with it."""


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
    """Events that Charley would answer otherwise now; then the page may be wrong, too."""

    @property
    def returns(self) -> int:
        """How often a cramp came back."""
        return sum(bout.is_return for bout in self.bouts)


def page(moments: Iterable[Moment], pack: LanguagePack, began: datetime | None) -> Page:
    """Return what happened in a session that is played again."""
    scribe = _Scribe(pack, began)
    for moment in moments:
        scribe.note(moment)
    return scribe.close()


class _Scribe:
    """Writes a page while a session is played again."""

    def __init__(self, pack: LanguagePack, began: datetime | None) -> None:
        self._pack = pack
        self._page = Page(pack.ui_text, began)
        self._stage = Stage(self._heard)
        self._state = State.IDLE
        self._held: Held | None = None
        self._hold: Hold | None = None
        """What was last asked to be counted of it."""
        self._is_counting = False

    def note(self, moment: Moment) -> None:
        """Take in one event and its answer."""
        self._stage.reach(moment.event)
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
        self._stage.perform(moment.actions)

    def close(self) -> Page:
        """Return the page."""
        self._stage.close()
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
        """Put the counts where an event tells that they were; captions only guess it."""
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
        before, after, page = moment.before, moment.after, self._page
        is_return = after.returns > before.returns and after.state is not State.ASKING
        if after.routines_begun > before.routines_begun or is_return:
            self._begin(moment, is_return=is_return or after.returns > 0)
        if not page.bouts:
            return
        bout = page.bouts[-1]
        self._follow(bout, after)
        if self._held is not None and self._held not in bout.holds and self._is_counting:
            bout.holds.append(self._held)
        intent = moment.event.intent if isinstance(moment.event, UtteranceHeard) else ""
        if intent in _FEELINGS and before.state is not State.IDLE and bout.gone_at is None:
            bout.told.append(intent)
        if after.state is State.EASING and before.state is not State.EASING:
            bout.gone_at = moment.event.at
        elif bout.gone_at is None and after.state in _AT_WORK:
            bout.ending = ""
        elif bout.gone_at is None:
            bout.ending = bout.ending or _ending(intent, before, after)

    def _begin(self, moment: Moment, *, is_return: bool) -> None:
        page, after = self._page, moment.after
        last = page.bouts[-1] if page.bouts else None
        if last and last.gone_at is None and not any(held.ticks for held in last.holds):
            page.bouts.pop()  # begun anew before anything was held
        elif last and last.gone_at is None and not last.ending:
            last.ending = "another"
        name = self._pack.routines[after.routine].name
        page.bouts.append(Bout(moment.event.at, name, is_return=is_return))

    def _follow(self, bout: Bout, now: DialogueState) -> None:
        if now.state not in _AT_WORK:
            return
        routine = self._pack.routines[now.routine]
        bout.side = "" if routine.both else self._pack.prompts.sides.get(now.side, "")
        position = now.position or "standing"
        # A journal may be of a Charley that knew other positions.
        position = self._pack.prompts.positions.get(position, position)
        if position not in bout.positions[-1:]:
            bout.positions.append(position)


def _ending(intent: str, before: DialogueState, after: DialogueState) -> str:
    """Return what ends a cramp that is not known to be gone; empty if it goes on."""
    if after.state is State.WARNED:
        return "flagged"
    if after.state is State.IDLE and before.state is not State.IDLE:
        return "stopped" if intent == Intent.CONTROL_STOP else "left_off"
    return ""


# --- In words ------------------------------------------------------------------------------------


def state(page: Page, state: State) -> str:
    """Return a state in words."""
    return page.words(f"states.{state}")


def headline(page: Page) -> str:
    """Return the session in a few words."""
    words = page.words
    if not page.bouts:
        return words("headline.none")
    first = page.bouts[0]
    name = first.name[:1].upper() + first.name[1:]
    others = [bout.name for bout in page.bouts[1:] if bout.name != first.name]
    if page.flags:
        return words("headline.flagged", name=name, flag=page.flags[0][1])
    if others:
        return words("headline.several", names=_in_turn(page, (name, *dict.fromkeys(others))))
    if page.returns:
        return words("headline.returned", name=name, times=_times(page, page.returns))
    return words("headline.usual", name=name, outcome=_outcome(page, page.bouts[-1]))


def title(page: Page, bout: Bout) -> str:
    """Return what cramped, and how the person was placed, in the order that was tried."""
    named = f"{bout.name}, {_in_turn(page, bout.positions)}"
    return page.words("outcome.again", name=named) if bout.is_return else named


def relief(page: Page, bout: Bout) -> str:
    """Return how a cramp ended, and after what time."""
    outcome = _outcome(page, bout)
    if bout.gone_at is None:
        return outcome
    return page.words(
        "outcome.lasting", outcome=outcome, clock=minutes_seconds(bout.gone_at - bout.began)
    )


def _outcome(page: Page, bout: Bout) -> str:
    if bout.gone_at is None:
        return page.words(f"outcome.{bout.ending or 'untold'}")
    if not bout.holds:
        return page.words("outcome.gone")
    return page.words.counted("outcome.gone_after", len(bout.holds))


def when(page: Page) -> str:
    """Return date, time and length."""
    words, began = page.words, page.began
    length = words("facts.minutes", clock=minutes_seconds(page.seconds))
    if began is None:
        return words("facts.dateless", length=length)
    date = words(
        "date.whole",
        weekday=words.weekdays[began.weekday()],
        day=began.day,
        month=words.months[began.month - 1],
        year=began.year,
        time=f"{began:%H:%M}",
    )
    return f"{date}, {length}"


def holds(page: Page, bout: Bout) -> str:
    """Return how many holds there were, and where they were cut."""
    words = page.words
    cut = [cut_place(page, held) for held in bout.holds if not held.is_whole]
    whole = len(bout.holds) - len(cut)
    parts = [words("holds.whole", count=whole)] if whole else []
    parts += [words("holds.cut", count=len(cut), places=", ".join(cut))] if cut else []
    return ", ".join(parts) or words("holds.none")


def cut_place(page: Page, held: Held) -> str:
    """Return where a hold was cut."""
    return page.words("holds.place", count=len(held.ticks), of=held.of)


def told(page: Page, bout: Bout) -> str:
    """Return how it felt; what was told several times in a row is counted."""
    words = page.words
    runs = [(words(f"feelings.{name}"), len(list(same))) for name, same in groupby(bout.told)]
    parts = [
        word if count == 1 else words("told.several", word=word, count=count)
        for word, count in runs
    ]
    return ", ".join(parts) or words("told.nothing")


def facts(page: Page) -> Iterator[tuple[str, str]]:
    """Yield what is to be said of the whole session, each with its name."""
    words = page.words
    yield words("facts.came_back"), _times(page, page.returns)
    flags = [words("facts.flag", flag=name, clock=minutes_seconds(at)) for at, name in page.flags]
    yield words("facts.red_flags"), ", ".join(flags) or words("facts.none")
    share = "facts.missed_one" if page.utterances == 1 else "facts.missed_of"
    yield words("facts.missed"), words(share, misses=page.misses, count=page.utterances)


def _in_turn(page: Page, names: Iterable[str]) -> str:
    return f"{page.words('headline.then')} ".join(names)


def _times(page: Page, count: int) -> str:
    names = {0: "never", 1: "once", 2: "twice"}
    return page.words(
        f"times.{names.get(count, 'many')}", **({} if count in names else {"count": count})
    )


def text(page: Page) -> str:
    """Return the page for a terminal."""
    words = page.words
    rows = [(words("facts.when"), when(page))]
    for bout in page.bouts:
        rows += [
            ("", ""),
            (minutes_seconds(bout.began), title(page, bout)),
            (f"  {words('facts.holds')}", holds(page, bout)),
            (f"  {words('facts.told')}", told(page, bout)),
            (f"  {words('facts.relief')}", relief(page, bout)),
        ]
    rows += [("", ""), *facts(page)]
    width = max(len(name) for name, _ in rows) + 2
    lines = [headline(page), "", *(f"{name:<{width}}{value}".rstrip() for name, value in rows)]
    if page.differences:
        lines += ["", words.counted("facts.otherwise", page.differences)]
    return "\n".join(lines) + "\n"
