"""Measure how soon Charley falls silent when it is interrupted.

    python -m bench.timing.barge_in [--live 10] [--lockstep 50] [--json]

A synthetic runner, with voices that the model was not trained on, says a command while Charley
speaks or counts. The bench measures the time from the audible end of the command in the
microphone's signal to the first sample of the answer in the speaker's; what Charley was saying ends
at most five milliseconds later. Times before the end of the word are negative.

There are two ways. In lockstep, blocks of microphone and timeline move in step without devices: the
delay is the recogniser's alone. Live, it is the real `charley run` on a virtual sound card, both
sides of which are recorded as one stereo stream, so that their times cannot differ.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.asr.hypothesis import RATE
from assistant.audio.devices import output_rate
from assistant.audio.earcons import chime
from assistant.audio.microphone import BLOCK_SECONDS, Microphone
from assistant.audio.pcm import DEFAULT_RATE, Pcm
from assistant.audio.shaping import trim_silence
from assistant.audio.speaker import Speaker
from assistant.dialogue.actions import Action, Chime, Interject, Say
from assistant.dialogue.events import Event, UtteranceHeard, UtteranceMissed
from assistant.playback.clip_queue import BREATH_SECONDS
from assistant.playback.speech import INTERJECT_PACES
from assistant.playback.timeline import Timeline
from assistant.tts.pyttsx3_voice import Pyttsx3Voice
from bench.hearing.utterances import VOICES
from bench.paths import ROOT
from bench.processes import command
from bench.timing.lockstep import CRAMP, TO_THE_HOLD, Kit, Lockstep, spoken
from bench.timing.stereo_card import Card, last_audible, sound_card
from tests.support import pulse
from tests.support.listening import place

Entry = dict[str, Any]
"""A line of the journal."""
Case = tuple[str, str, int]
CASES: tuple[Case, ...] = (
    ("stop", "speaking", 400), ("hold on", "speaking", 400), ("my chest hurts", "speaking", 400),
    ("stop", "counting", 400), ("hold on", "counting", 400), ("my chest hurts", "counting", 400),
    ("okay", "speaking", 900), ("how long left", "speaking", 900), ("slower", "speaking", 900),
    ("how long left", "counting", 900), ("slower", "counting", 900),
)  # fmt: skip
"""What is said, when, and within how many milliseconds it should be obeyed."""
ANSWERS = {"Say", "Interject", "Chime"}
PATIENCE_SECONDS = 3.0
ENOUGH_SECONDS = 1.5
"""Length of the beginning of a line that is searched for in a recording."""
CLICKS = 20


@dataclass(frozen=True, slots=True)
class Trial:
    """One command, and what came of it."""

    way: str
    said: str
    during: str
    goal_ms: int
    voice: str
    heard: str
    """The intent that was understood first; "missed" or "nothing"."""
    right: bool
    delay_ms: float | None
    """End of the word to the first sample of the answer; None if it was not understood."""
    seen_ms: float | None = None
    """In lockstep: to the first partial hypothesis that holds the command."""
    acted_ms: float | None = None
    """In lockstep: to the event that Charley answers."""


# --- In lockstep ---------------------------------------------------------------------------------


def in_lockstep(kit: Kit, case: Case, number: int) -> Trial:
    """Say one command in one conversation."""
    text, during, goal = case
    voice, chance = VOICES[number % len(VOICES)], random.Random(f"{case} {number}")
    talk = Lockstep(kit)
    talk.until(during, chance)
    ahead = chance.randrange(round(0.2 * RATE))  # against the rhythm of the decoder
    word = np.pad(spoken(voice, text), (ahead, 0))
    ends, fed = talk.now + len(word) / RATE, talk.listener.seconds - talk.now
    talk.run(len(word) / RATE + PATIENCE_SECONDS, word)
    heard, acted_at, answer = first_answer(talk.events)
    begun = next((b for b in talk.timeline.take_begun() if b.text == answer), None)
    seen = next((h.at_seconds for h in talk.listener.heard if text in h.text), None)
    right = heard == kit.wanted(text, during)
    return Trial(
        "lockstep", text, during, goal, voice, heard, right,
        round(1000 * (begun.at_samples / DEFAULT_RATE - ends), 1) if right and begun else None,
        None if seen is None else round(1000 * (seen - fed - ends), 1),
        round(1000 * (acted_at - ends), 1) if right else None,
    )  # fmt: skip


def first_answer(
    events: Iterable[tuple[Event, tuple[Action, ...]]],
) -> tuple[str, float, str]:
    """Return what was understood first, when, and the first line of the answer."""
    for event, actions in events:
        if isinstance(event, UtteranceHeard | UtteranceMissed):
            lines = [action.text for action in actions if isinstance(action, Say | Interject)]
            heard = event.intent if isinstance(event, UtteranceHeard) else "missed"
            return heard, event.at, lines[0] if lines else ""
    return "nothing", 0.0, ""


# --- Live ----------------------------------------------------------------------------------------


class Live:
    """`charley run` on such a card, followed through its journal."""

    def __init__(self, card: Card, folder: Path) -> None:
        self._journal = folder / f"{time.monotonic_ns()}.jsonl"
        command = [sys.executable, "-m", "assistant", "run", "--no-captions"]
        keep = ["--journal", str(self._journal), "--journal-text"]
        self._process = subprocess.Popen(
            [*command, *keep], env=card.env, cwd=ROOT,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def lines(self) -> list[Entry]:
        """Return the journal so far."""
        if not self._journal.exists():
            return []
        text = self._journal.read_text("utf-8")
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def awaits(self, seconds: float, first: int = 0, **wanted: str) -> bool:
        """Wait for such an entry in the journal; return False if none comes."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if any(wanted.items() <= entry.items() for entry in self.lines()[first:]):
                return True
            time.sleep(0.05)
        return False

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait(20)


def live(card: Card, folder: Path, kit: Kit, case: Case, number: int) -> Trial:
    """Say one command to one process; start another if it does not get there."""
    for attempt in range(4):
        charley = Live(card, folder)
        try:
            chance = random.Random(f"{case} {number} {attempt}")
            if reached(charley, card, kit, case[1], chance):
                return said_to(charley, card, kit, case, number)
        finally:
            charley.close()
    raise RuntimeError(f"Charley never came to {case[1]}.")


def reached(charley: Live, card: Card, kit: Kit, during: str, chance: random.Random) -> bool:
    """Bring a conversation to the moment when the command is said."""
    if not charley.awaits(20.0, event="Started"):
        return False
    time.sleep(1.0)
    card.says(spoken(VOICES[0], CRAMP))
    if not charley.awaits(3.0, intent="cramp"):
        return False
    if during == "counting":
        time.sleep(1.0)
        card.says(spoken(VOICES[0], TO_THE_HOLD))
        if not charley.awaits(3.0, action="Count"):
            return False
        time.sleep(cue_seconds(charley.lines(), kit))
    time.sleep(chance.uniform(0.5, 3.0))
    return True


def cue_seconds(lines: list[Entry], kit: Kit) -> float:
    """Return how long the lines before a count take."""
    at = [entry["at"] for entry in lines if entry.get("action") == "Count"][-1]
    texts = [e["text"] for e in lines if e.get("action") == "Say" and e["at"] == at]
    return sum(kit.voice.render(text).seconds + BREATH_SECONDS for text in texts)


def said_to(charley: Live, card: Card, kit: Kit, case: Case, number: int) -> Trial:
    """Say the command and measure, in the recording, when the answer begins."""
    text, during, goal = case
    voice = VOICES[number % len(VOICES)]
    before, first = len(charley.lines()), card.frames
    card.says(spoken(voice, text))
    time.sleep(PATIENCE_SECONDS)
    heard, answer = answered(charley.lines()[before:])
    right, delay = heard == kit.wanted(text, during), None
    if right and answer:
        speaker, microphone = card.since(first)
        ends = last_audible(microphone)
        begins = beginning(speaker, answer, ends, kit)
        delay = None if begins is None else round(1000 * (begins - ends), 1)
    return Trial("live", text, during, goal, voice, heard, right, delay)


def beginning(speaker: Pcm, answer: Entry, ends: float, kit: Kit) -> float | None:
    """Return when an answer begins in a recording, at whatever pace it is spoken."""
    for sound in answer_sounds(answer, kit):
        begun = Pcm(sound.samples[: round(ENOUGH_SECONDS * sound.rate)], sound.rate)
        first, last = max(0.0, ends - 1.0), speaker.seconds - begun.seconds
        with contextlib.suppress(AssertionError):
            return place(speaker, begun, first, last)
    return None


def answer_sounds(answer: Entry, kit: Kit) -> Iterator[Pcm]:
    """Yield what an answer may sound like: a tone, or a line at some pace."""
    if answer["action"] == "Chime":
        yield trim_silence(chime(answer["name"]))
        return
    for pace in dict.fromkeys((answer.get("pace", 1.0), *INTERJECT_PACES)):
        yield trim_silence(kit.voice.render(answer["text"], pace))


def answered(lines: list[Entry]) -> tuple[str, Entry | None]:
    """Return what was understood first, and what the answer begins with."""
    for number, entry in enumerate(lines):
        if entry.get("event") in {"UtteranceHeard", "UtteranceMissed"}:
            rest = (e for e in lines[number + 1 :] if e.get("action") in ANSWERS)
            return entry.get("intent", "missed"), next(rest, None)
    return "nothing", None


def all_live(
    kit: Kit, cases: Iterable[Case], repeats: int, workers: int, minutes: float
) -> list[Trial]:
    """Say every command many times, to several processes in parallel, as time allows."""
    end = time.monotonic() + 60 * minutes
    wanted = [(case, number) for number in range(repeats) for case in cases]
    for case, number in wanted:  # renders the voices before anything is timed
        spoken(VOICES[number % len(VOICES)], case[0])
    spoken(VOICES[0], CRAMP), spoken(VOICES[0], TO_THE_HOLD)

    def work(share: list[tuple[Case, int]]) -> list[Trial]:
        with tempfile.TemporaryDirectory() as name, sound_card(Path(name)) as card:
            return [
                live(card, Path(name), kit, case, number)
                for case, number in share
                if time.monotonic() < end
            ]

    with ThreadPoolExecutor(workers) as pool:
        shares = [wanted[first::workers] for first in range(workers)]
        return [trial for found in pool.map(work, shares) for trial in found]


def loop_delays() -> list[float]:
    """Return the milliseconds that microphone and speaker alone take, one round trip each."""
    with tempfile.TemporaryDirectory() as name, sound_card(Path(name)) as card:
        answering = subprocess.Popen(
            command("bench.timing.barge_in", "answer_clicks()"), env=card.env, cwd=ROOT,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        try:
            if answering.stdout:
                answering.stdout.readline()
            time.sleep(1.0)
            return [delay for n in range(CLICKS) if (delay := _one_loop(card, n)) is not None]
        finally:
            answering.terminate()
            answering.wait()


def answer_clicks() -> None:
    """Answer each click in the microphone with a chime as soon as possible, forever."""
    timeline = Timeline(Pyttsx3Voice(), output_rate())
    with Speaker(timeline) as speaker, Microphone() as microphone:
        print(speaker.latency_seconds, microphone.latency_seconds, flush=True)
        quiet = 0
        while True:
            block = microphone.read()
            if block is None:
                continue
            quiet = 0 if np.abs(block).max() > 3000 else quiet + len(block)
            if not quiet and timeline.is_idle:
                timeline.perform(Chime("heard"))


def _one_loop(card: Card, number: int) -> float | None:
    time.sleep(0.3 + 0.0071 * number)
    first = card.frames
    card.says(np.full(RATE // 200, 20000, np.int16))
    time.sleep(0.5)
    begins = []
    for side in card.since(first):
        loud = np.flatnonzero(np.abs(side.samples.astype(np.int32)) > 1000)
        begins += [float(loud[0]) / side.rate] if len(loud) else []
    return 1000 * (begins[0] - begins[1]) if len(begins) == 2 else None


# --- The table -----------------------------------------------------------------------------------

COLUMNS = ("n", "heard %", "median", "p95", "max", "goal", "within %", "seen", "acted")


def figures(trials: list[Trial]) -> dict[str, float | None]:
    """Return one row: times in milliseconds."""
    delays = [t.delay_ms for t in trials if t.delay_ms is not None]
    within = sum(delay <= trials[0].goal_ms for delay in delays)
    row = (
        len(trials),
        100 * sum(t.right for t in trials) / len(trials),
        percentile(delays, 50),
        percentile(delays, 95),
        max(delays, default=None),
        trials[0].goal_ms,
        100 * within / len(trials),
        percentile([t.seen_ms for t in trials if t.seen_ms is not None], 50),
        percentile([t.acted_ms for t in trials if t.acted_ms is not None], 50),
    )
    return dict(zip(COLUMNS, row, strict=True))


def percentile(values: list[float], share: float) -> float | None:
    """Return a percentile; None without values."""
    return float(np.percentile(values, share)) if values else None


def report(trials: list[Trial], loop: list[float], *, as_json: bool) -> None:
    """Print the table, and what was heard instead."""
    rows: dict[tuple[str, str, str], list[Trial]] = {}
    for trial in trials:
        rows.setdefault((trial.way, trial.during, trial.said), []).append(trial)
    if as_json:
        found = [dict(zip(("way", "during", "said"), key, strict=True)) | figures(of)
                 for key, of in rows.items()]  # fmt: skip
        everything = {"rows": found, "devices_ms": loop, "trials": [asdict(t) for t in trials]}
        print(json.dumps(everything, indent=1))
        return
    print(f"{'':34}" + "".join(f"{name:>9}" for name in COLUMNS))
    for key, of in rows.items():
        row = figures(of).values()
        cells = "".join(f"{'-' if value is None else round(value):>9}" for value in row)
        print(f"{key[0]:9} {key[1]:9} {key[2]:14}{cells}")
        misses = Counter(f"{t.heard} ({t.voice})" for t in of if not t.right)
        for heard, count in misses.most_common():
            print(f"{'':12}heard as {heard}: {count}")
    if loop:
        middle, most = percentile(loop, 50), percentile(loop, 95)
        print(f"microphone and speaker alone: median {middle:.0f} ms, p95 {most:.0f} ms")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--live", type=int, default=10, help="repeats with the real process")
    parser.add_argument("--lockstep", type=int, default=50, help="repeats without devices")
    parser.add_argument("--workers", type=int, default=2, help="sound cards in parallel")
    parser.add_argument("--minutes", type=float, default=60.0, help="no live trial begins later")
    parser.add_argument("--block", type=float, default=BLOCK_SECONDS, help="in lockstep")
    parser.add_argument("--only", default="", help="commands that contain this")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    kit = Kit(options.block)
    cases = [case for case in CASES if options.only in f"{case[0]} {case[1]}"]
    trials = [in_lockstep(kit, case, n) for case in cases for n in range(options.lockstep)]
    missing = pulse.missing() if options.live else None
    if missing:
        print(f"nothing played: {missing}", file=sys.stderr)
    elif options.live:
        trials += all_live(kit, cases, options.live, options.workers, options.minutes)
    loop = loop_delays() if options.live and not missing else []
    report(trials, loop, as_json=options.json)


if __name__ == "__main__":
    main()
