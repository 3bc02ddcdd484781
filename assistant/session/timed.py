"""The typed conversation, on any output that knows what comes next and on any clock."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable

from assistant.clock import Clock
from assistant.dialogue.events import Started
from assistant.dialogue.state import State
from assistant.playback.outputs import Output
from assistant.session.hooks import Said
from assistant.session.scripted_user import ScriptedUser
from assistant.session.session import Session

AFTERMATH_SECONDS = 60.0
"""How long a piped conversation goes on after its last line."""


class TimedConversation:
    """A session that is moved through time by what its output and its timers have next."""

    def __init__(
        self, session: Session, output: Output, clock: Clock, said: Said | None = None
    ) -> None:
        """`said` gets each utterance before it is answered."""
        self.session = session
        self._said = said
        self._output = output
        self._clock = clock

    def start(self, *, first_time: bool) -> None:
        """Let the session begin."""
        self.session.handle(Started(self._clock.now(), first_time))

    @property
    def next_at(self) -> float | None:
        """When something is due by itself; None if nothing ever is."""
        due = (self._output.next_at, self.session.next_timer_at)
        return min((at for at in due if at is not None), default=None)

    def run_next(self, to: float) -> bool:
        """Let the next thing happen that is due by a time; False if there is none."""
        at = self.next_at
        if at is None or at > to:
            return False
        self._clock.wait_until(at)
        event = self._output.advance(at)
        if event is not None:
            self.session.handle(event)
        elif (timer := self.session.next_timer_at) is not None and timer <= at:
            self.session.fire(at)
        return True

    def say(self, text: str) -> None:
        """The user says something now."""
        now = self._clock.now()
        if self._said:
            self._said(now, text)
        self._catch_up(now)
        self.session.hear(text, now)

    def command(self, intent: str) -> None:
        """The user asks for something without words, such as by a button."""
        now = self._clock.now()
        self._catch_up(now)
        self.session.command(intent, now)

    def _catch_up(self, at: float) -> None:
        while (event := self._output.advance(at)) is not None:
            self.session.handle(event)

    def play(self, user: ScriptedUser, said: Callable[[str], None] = lambda _line: None) -> None:
        """Let a scripted user talk to the end, and the session run on until it waits.

        `said` is told each line when it is said.
        """
        while (line := user.line) is not None:
            text = user.speak(
                self.session.now, self._clock.now(), self._output.hold_position_seconds
            )
            if text is None and self._reach(user.next_at):
                continue
            said(line)
            # Nothing will happen by itself any more, so the line is said anyway.
            self.say(text or user.speak_anyway(self._clock.now()))
        self._run_out()

    def _reach(self, at: float | None) -> bool:
        """Move on to the next thing that is due; False if nothing will ever happen."""
        if self.run_next(float("inf") if at is None else at):
            return True
        if at is None:
            return False
        self._clock.wait_until(at)
        self._catch_up(at)
        return True

    def _run_out(self) -> None:
        end = self._clock.now() + AFTERMATH_SECONDS
        while not self._is_over() and self.run_next(end):
            pass

    def _is_over(self) -> bool:
        now = self.session.now
        return now.state is State.IDLE and not now.speaking

    def converse(self, lines: Iterable[str]) -> None:
        """Answer what is typed, in real time, until the input ends."""
        typed: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=_read, args=(lines, typed), daemon=True).start()
        while True:
            now, at = self._clock.now(), self.next_at
            try:
                line = typed.get(timeout=None if at is None else max(0.0, at - now))
            except queue.Empty:
                self.run_next(self._clock.now())
                continue
            if line is None:
                return
            while self.run_next(self._clock.now()):
                pass
            if line.strip():
                self.say(line)


def _read(lines: Iterable[str], typed: queue.SimpleQueue[str | None]) -> None:
    for line in lines:
        typed.put(line)
    typed.put(None)
