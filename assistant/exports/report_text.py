"""A report in words: the facts of a page as sentences, in the words of its language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from assistant.content.ui_text import minutes_seconds
from assistant.dialogue.state import State
from assistant.exports.report import Bout, Held, Page


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
    """Return what cramped, and the positions in the order in which they were tried."""
    named = f"{bout.name}, {_in_turn(page, bout.positions)}"
    return page.words("outcome.again", name=named) if bout.is_return else named


def relief(page: Page, bout: Bout) -> str:
    """Return how a cramp ended, and after how long."""
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


def feelings(page: Page, bout: Bout) -> str:
    """Return how it felt; the same answer several times in a row is counted."""
    words = page.words
    runs = [(words(f"feelings.{name}"), len(list(same))) for name, same in groupby(bout.feelings)]
    parts = [
        word if count == 1 else words("told.several", word=word, count=count)
        for word, count in runs
    ]
    return ", ".join(parts) or words("told.nothing")


def facts(page: Page) -> Iterator[tuple[str, str]]:
    """Yield the name and value of each fact about the whole session."""
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
            (f"  {words('facts.told')}", feelings(page, bout)),
            (f"  {words('facts.relief')}", relief(page, bout)),
        ]
    rows += [("", ""), *facts(page)]
    width = max(len(name) for name, _ in rows) + 2
    lines = [headline(page), "", *(f"{name:<{width}}{value}".rstrip() for name, value in rows)]
    if page.differences:
        lines += ["", words.counted("facts.otherwise", page.differences)]
    return "\n".join(lines) + "\n"
