"""Send random users' events through the dialogue, on a clock that jumps.

    python -m bench.coaching.random_talk [--events 100000] [--seed 0]

Checks after every event that the dialogue is neither mute nor stuck, that every line is short, and
that no prompt is missing. Prints how many cells of the transition table were visited.
"""

from __future__ import annotations

import argparse
import random
import time

from assistant.content import language_pack
from assistant.content.prompts import MAX_WORDS
from assistant.dialogue.actions import CancelTimer, Listen, Remember, Say, SetTimer
from assistant.dialogue.events import (
    DeviceFound,
    DeviceLost,
    Event,
    Started,
    TimerFired,
    UtteranceHeard,
    UtteranceMissed,
)
from assistant.dialogue.machine import step
from assistant.dialogue.state import CoachingOptions, DialogueState, State
from assistant.dialogue.table import TRANSITIONS
from assistant.dialogue.triggers import KNOWN_INTENTS, Trigger, trigger_of
from assistant.paths import intents_folder
from assistant.playback.captions import CaptionTimeline

PACK = language_pack.load(intents_folder())
MEANINGS = sorted(KNOWN_INTENTS)
COMMON = ["cramp", "yes", "no", "still_hurts", "control_next", "relief_gone", "im_okay"]
MUSCLES = sorted({routine.muscle for routine in PACK.routines.values()} | {"thigh"})
SLOTS = {
    "muscle": (0.5, MUSCLES),
    "side": (0.3, ["left", "right", "both"]),
    "position": (0.3, ["standing", "sitting", "lying", "bed", "cant_stand"]),
    "seat": (0.1, ["chair"]),
    "toes": (0.05, ["up"]),
    "triage": (0.05, ["pop", "faint"]),
    "certain": (0.1, ["no"]),
    "setting": (0.3, ["hold_seconds", "rounds", "checkin_seconds"]),
    "number": (0.3, ["two", "fifteen", "sixty"]),
}
WAITS = [0.1, 0.5, 2.0, 5.0, 15.0, 60.0]
LONG_WAITS = [700.0, 4000.0]


class RandomTalk:
    """One endless conversation."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._now = DialogueState()
        self._at = 0.0
        self._timers: dict[str, float] = {}
        self._captions = CaptionTimeline()
        self.events = 0
        self.visited: set[tuple[State, Trigger]] = set()
        self._handle(Started(0.0))

    def turn(self) -> None:
        """Let some time pass, and let the user do something."""
        waits = WAITS if self._random.random() < 0.98 else LONG_WAITS
        self._pass(self._at + self._random.choice(waits))
        self._handle(self._something())

    def _something(self) -> Event:
        chance = self._random.random()
        if chance < 0.08:
            return UtteranceMissed(self._at, "", self._random.random() < 0.7)
        if chance < 0.10:
            if self._random.random() < 0.5:
                return DeviceLost(self._at, "microphone")
            return DeviceFound(self._at, "microphone")
        meanings = COMMON if chance > 0.6 else [*MEANINGS, *PACK.red_flags.flags]
        meaning = self._random.choice(meanings)
        slots = {
            name: self._random.choice(values)
            for name, (share, values) in SLOTS.items()
            if self._random.random() < share
        }
        hold_position_seconds = self._captions.hold_position_seconds
        return UtteranceHeard(self._at, meaning, meaning, slots, hold_position_seconds)

    def _pass(self, to: float) -> None:
        while True:
            timer = min(self._timers.values(), default=float("inf"))
            caption = self._captions.next_at
            due = min(timer, float("inf") if caption is None else caption)
            if due > to:
                break
            self._at = max(self._at, due)
            if (event := self._captions.advance(self._at)) is not None:
                self._handle(event)
            elif timer <= self._at:
                name = min(self._timers, key=lambda key: self._timers[key])
                del self._timers[name]
                self._handle(TimerFired(self._at, name))
        self._at = to
        self._captions.advance(to)

    def _handle(self, event: Event) -> None:
        self.events += 1
        self.visited.add((self._now.state, trigger_of(event)))
        self._now, actions = step(self._now, event, PACK, CoachingOptions())
        for action in actions:
            if isinstance(action, SetTimer):
                self._timers[action.name] = event.at + action.seconds
            elif isinstance(action, CancelTimer):
                self._timers.pop(action.name, None)
            elif not isinstance(action, Listen | Remember):
                self._captions.perform(action)
            if isinstance(action, Say):
                _check_line(action)
        self._check_alive(event)

    def _check_alive(self, event: Event) -> None:
        waits = bool(set(self._timers) - {"long", "checkin"})
        may_be_quiet = self._now.is_waiting_quietly or self._now.state is State.IDLE
        if not (self._captions.next_at is not None or waits or may_be_quiet):
            raise SystemExit(f"mute after {event} in {self._now}")


def _check_line(line: Say) -> None:
    if not 0 < len(line.text.split()) <= MAX_WORDS or "{" in line.text:
        raise SystemExit(f"bad line {line}")


def main() -> None:
    """RandomTalk until there were enough events."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    talk, began = RandomTalk(options.seed), time.perf_counter()
    while talk.events < options.events:
        talk.turn()
    seconds = time.perf_counter() - began
    cells = sum(len(row) for row in TRANSITIONS.values())
    print(f"{talk.events} events in {seconds:.1f} s, {len(talk.visited)} of {cells} cells visited")


if __name__ == "__main__":
    main()
