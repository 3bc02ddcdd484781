"""Measure whether Charley obeys its own voice when it comes out of a loudspeaker.

    python -m bench.timing.own_voice [--ways nothing,shipped] [--every 16] [--json]

Everything that Charley plays comes back to its microphone through a small loudspeaker that
distorts, a room, and a delay. It runs in lockstep, without devices, but with the real voice, model,
timeline and conversation, and answers two questions:

alone: each routine in each position, and each other line, is played to itself once. It counts what
was taken for a command ("obeyed") or answered ("missed"); both must be 0.

person: somebody whose voice the model was not trained on says a command while Charley speaks. It
must be obeyed as soon as with earbuds; delays are measured as in bench/timing/barge_in.py.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.asr.hypothesis import RATE
from assistant.audio import audio_file
from assistant.audio.echo_canceller import Reference
from assistant.audio.microphone import BLOCK_SECONDS
from assistant.audio.pcm import DEFAULT_RATE, FULL_SCALE, Samples
from assistant.audio.shaping import resampler
from assistant.content.routines import Routine
from assistant.dialogue.actions import Action, Chime, Say
from assistant.dialogue.events import Event, Started, UtteranceHeard, UtteranceMissed
from assistant.dialogue.state import State
from assistant.exports.routine_audio import positions
from assistant.playback.timeline import Timeline
from bench.hearing.utterances import VOICES
from bench.paths import SPEECH
from bench.timing.barge_in import percentile
from bench.timing.lockstep import Kit, spoken

ROOMS = ("kitchen", "dining-room", "living-bedroom", "cinema-hallway")
"""Impulse responses of rooms in a house; where the folder is missing, a made one."""
LEVELS_DB = (0, -6, -12, -20)
DELAYS_MS = (20, 60, 120, 200, 300)
FLOOR_DB = -66.0
"""Hiss of the microphone."""
PERSON_DB = (12, 6, 0, -6)
"""A person's speech to the echo of Charley's."""
SAID = ("stop", "my chest hurts", "it still hurts", "how long left", "pause")
PATIENCE_SECONDS = 3.0
SPEECH_DB = -23.0
"""Loudness of Charley's speech, to which a person's is set; measured over all prompts."""
BLOCK = round(BLOCK_SECONDS * RATE)
Wave = NDArray[np.float64]


# --- The room ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Where the loudspeaker stands."""

    room: str
    level_db: float
    delay_ms: int


@cache
def response(room: str, folder: Path | None) -> Wave:
    """Return the impulse response of a room, of energy one; a made one for a name not there."""
    path = folder / f"{room}.flac" if folder else None
    if path and path.exists():
        heard = audio_file.read(path).samples.astype(float)
    else:
        seed = np.random.default_rng(len(room))
        time_seconds = np.arange(round(0.4 * RATE)) / RATE
        heard = seed.normal(size=len(time_seconds)) * np.exp(-time_seconds / 0.06)
        heard[0] = 6.0
    return np.asarray(heard / np.sqrt(np.sum(heard**2)))


class Echo:
    """What comes back of what is played, block by block: a convolution in parts of one block."""

    def __init__(self, place: Place, folder: Path | None) -> None:
        late = np.zeros(round(place.delay_ms * RATE / 1000))
        way = np.concatenate([late, response(place.room, folder)]) * 10 ** (place.level_db / 20)
        parts = np.pad(way, (0, -len(way) % BLOCK)).reshape(-1, BLOCK)
        self._way = np.fft.rfft(parts, 2 * BLOCK)
        self._blocks = np.zeros_like(self._way)
        """Spectra of what was played, the latest first."""
        self._tail: Wave = np.zeros(BLOCK)
        self._resampled = resampler(DEFAULT_RATE, RATE, quality="QQ")
        self._ready: Wave = np.zeros(2)  # the resampler holds as much back

    def of(self, played: Samples) -> Wave:
        """Return the next block at the microphone."""
        sound = self._resampled(played).astype(float) / FULL_SCALE
        driven = np.tanh(1.5 * sound) / 1.5  # a small loudspeaker
        ready = np.concatenate([self._ready, driven])
        block, self._ready = ready[:BLOCK], ready[BLOCK:]
        self._blocks = np.roll(self._blocks, 1, axis=0)
        self._blocks[0] = np.fft.rfft(block, 2 * BLOCK)
        echo = np.fft.irfft(np.sum(self._blocks * self._way, axis=0))
        heard, self._tail = echo[:BLOCK] + self._tail, echo[BLOCK:]
        return heard


# --- The ways ------------------------------------------------------------------------------------


class Way:
    """One way to separate Charley's voice from a person's; this one does nothing."""

    words = False
    """True if words that Charley is saying are discounted."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline

    def clean(self, block: Samples) -> Samples:
        """Return what the recogniser gets."""
        return block

    def own_words(self) -> str:
        """Return the words that are discounted now."""
        return self.timeline.speaking_now() if self.words else ""

    def _reference(self) -> Reference:
        """Return what is being played, from now on."""
        reference = Reference(self.timeline.rate)
        self.timeline.on_played = reference.put
        return reference


class Words(Way):
    """The words that Charley is saying are not heard."""

    words = True


class Shipped(Way):
    """What Charley does: cancel the echo, silence the rest, discount its own words."""

    words = True

    def __init__(self, timeline: Timeline) -> None:
        super().__init__(timeline)
        from assistant.audio.echo_canceller import EchoCanceller

        self._canceller = EchoCanceller(self._reference())

    def clean(self, block: Samples) -> Samples:
        """Return the block without the echo."""
        return self._canceller.clean(block)


class WebRtc(Way):
    """WebRTC's echo canceller (the package livekit), as it is."""

    words = True

    def __init__(self, timeline: Timeline) -> None:
        super().__init__(timeline)
        self._played = self._reference()
        rtc = import_module("livekit.rtc")
        self._frame: Callable[[Samples], Any] = lambda sound: rtc.AudioFrame(
            sound.tobytes(), RATE, 1, len(sound)
        )
        self._canceller = rtc.AudioProcessingModule(echo_cancellation=True)

    def clean(self, block: Samples) -> Samples:
        """Return the block without the echo."""
        played = self._played.take(len(block))
        out = []
        for at in range(0, len(block), 160):
            self._canceller.process_reverse_stream(self._frame(played[at : at + 160]))
            frame = self._frame(block[at : at + 160])
            self._canceller.process_stream(frame)
            out.append(np.frombuffer(frame.data, np.int16).copy())
        return np.concatenate(out)


class Speex(Way):
    """Speex's echo canceller (the package pyaec), with its own suppressor behind it."""

    words = True

    def __init__(self, timeline: Timeline) -> None:
        super().__init__(timeline)
        from pyaec import Aec

        self._played = self._reference()
        self._canceller = Aec(160, RATE // 2, RATE, enable_preprocess=True)

    def clean(self, block: Samples) -> Samples:
        """Return the block without the echo."""
        played = self._played.take(len(block))
        out = [
            self._canceller.cancel_echo(
                block[at : at + 160].tolist(), played[at : at + 160].tolist()
            )
            for at in range(0, len(block), 160)
        ]
        return np.array(out, np.int16).reshape(-1)


class Envelopes(Way):
    """Silence what rises and falls with Charley's own sound."""

    frame = 160

    def __init__(self, timeline: Timeline) -> None:
        super().__init__(timeline)
        self._taken = self._reference()
        self._heard: list[float] = []
        self._played: list[float] = []

    def clean(self, block: Samples) -> Samples:
        """Return the block without the echo."""
        played = self._taken.take(len(block))
        for sound, levels in ((block, self._heard), (played, self._played)):
            frames = sound.astype(float).reshape(-1, self.frame)
            levels.extend(np.log(np.mean(frames**2, axis=1) + 1e3).tolist())
            del levels[:-150]
        return np.zeros_like(block) if self._is_echo() else block

    def _is_echo(self) -> bool:
        """Return whether the last 0.6 s follow what was played, with any delay up to 0.5 s."""
        if len(self._heard) < 110:
            return False
        now = np.array(self._heard[-60:])
        best = max(
            _correlation(now, np.array(self._played[len(self._played) - 60 - lag :][:60]))
            for lag in range(50)
        )
        return best > 0.75


def _correlation(one: Wave, other: Wave) -> float:
    if one.std() < 0.1 or other.std() < 0.1:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


WAYS: dict[str, type[Way]] = {
    "nothing": Way, "words": Words, "envelopes": Envelopes, "speex+words": Speex,
    "webrtc+words": WebRtc, "shipped": Shipped,
}  # fmt: skip


# --- The conversation ----------------------------------------------------------------------------


class Kitchen:
    """Charley on a loudspeaker, hearing itself."""

    def __init__(self, kit: Kit, way: str, place: Place, folder: Path | None) -> None:
        self.kit = kit
        self.timeline = kit.timeline()
        self._way = WAYS[way](self.timeline)
        self._echo = Echo(place, folder)
        self._hiss = np.random.default_rng(7)
        self.heard: list[Event] = []
        self.is_own = True
        self.blocks = 0
        self.busy_seconds = 0.0
        own = self._way.own_words if self._way.words else None
        self._conversation = kit.conversation(self.timeline, kit.listener(), self._watch, own)
        self.session = self._conversation.session

    def _watch(self, event: Event, actions: tuple[Action, ...]) -> None:
        was_answered = isinstance(event, UtteranceHeard) or any(
            isinstance(action, Say | Chime) for action in actions
        )
        if isinstance(event, UtteranceHeard | UtteranceMissed) and self.is_own and was_answered:
            self.heard.append(event)

    @property
    def now(self) -> float:
        """Seconds so far."""
        return self.blocks * BLOCK_SECONDS

    def happen(self, event: Event) -> None:
        """Let something happen that Charley did not hear."""
        self.is_own = False
        self.session.handle(event)
        self.is_own = True

    def welcome(self) -> None:
        """Let Charley say its first line, as it always does."""
        self.happen(Started(0.0, first_time=True))
        while self.session.now.speaking:
            self.step()

    def step(self, person: Wave | None = None) -> None:
        """Let one block of time pass."""
        self.blocks += 1
        played = self.timeline.read(round(self.now * DEFAULT_RATE) - self.timeline.position_samples)
        heard = self._echo.of(played) + 10 ** (FLOOR_DB / 20) * self._hiss.normal(size=BLOCK)
        if person is not None:
            heard[: len(person)] += person
        block = np.rint(np.clip(heard, -1, 1) * FULL_SCALE).astype(np.int16)
        begun = time.process_time()
        block = self._way.clean(block)
        self.busy_seconds += time.process_time() - begun
        self._conversation.tick(self.now, block)

    def run(self, seconds: float, person: Wave | None = None) -> None:
        """Let time pass."""
        for number in range(round(seconds / BLOCK_SECONDS)):
            self.step(None if person is None else person[number * BLOCK : (number + 1) * BLOCK])


@dataclass(frozen=True, slots=True)
class Alone:
    """What Charley understood of its own voice."""

    way: str
    place: Place
    played: str
    seconds: float
    obeyed: tuple[str, ...]
    missed: tuple[str, ...]
    cleaning: float
    """Share of a core that cleaning takes."""


def routine_alone(kitchen: Kitchen, routine: Routine, position: str, holds: int) -> None:
    """Play a routine from the cramp to the run."""
    slots = {"muscle": routine.muscle, "position": position, "toes": routine.toes}
    slots["side"] = "both" if routine.both else "left"
    kitchen.welcome()
    intent = "stitch" if routine.muscle == "stitch" else "cramp"
    known = {name: value for name, value in slots.items() if value}
    kitchen.happen(UtteranceHeard(kitchen.now, "", intent, known))
    while kitchen.session.now.state is not State.IDLE or kitchen.session.now.speaking:
        kitchen.step()
        if (answer := _answer(kitchen, holds)) is not None:
            kitchen.run(0.6)  # the last echo comes back before a person answers
            kitchen.happen(UtteranceHeard(kitchen.now, "", answer))
        if kitchen.now > 400.0:
            break
    kitchen.run(2.0)


def _answer(kitchen: Kitchen, holds: int) -> str | None:
    now = kitchen.session.now
    if now.speaking:
        return None
    if now.state is State.CHECKING:
        return "still_hurts" if now.round + 1 < holds else "relief_gone"
    return {State.TRIAGE: "no", State.ASKING: "yes", State.WARNED: "im_okay",
            State.OFFERING: "no", State.PAUSED: "control_resume"}.get(now.state)  # fmt: skip


def lines_alone(kitchen: Kitchen, texts: Iterable[str]) -> None:
    """Play lines in a row while a routine waits."""
    kitchen.welcome()
    kitchen.happen(UtteranceHeard(kitchen.now, "", "cramp", {"muscle": "calf", "side": "left"}))
    kitchen.happen(UtteranceHeard(kitchen.now, "", "control_pause"))
    for text in texts:
        kitchen.timeline.perform(Say("line", text))
        while not kitchen.timeline.is_idle:
            kitchen.step()
        kitchen.run(0.9)


def place_of(number: int, turn: int) -> Place:
    """Return where something is played, so that in four turns it is played at each level."""
    room = (*ROOMS, "made")[(number // 20 + turn) % 5]
    return Place(room, LEVELS_DB[(number + turn) % 4], DELAYS_MS[(number // 4 + turn) % 5])


Job = tuple[str, Callable[[Kitchen], None]]


def jobs(kit: Kit, every: int, turn: int) -> list[tuple[int, Job]]:
    """Return everything that Charley can say, numbered, shuffled so that half a run is fair."""
    pack = kit.language.pack
    cells = [(r, p) for r in pack.routines.values() for p in positions(r)][::every]
    texts = [line.text for lines in pack.prompts.lines.values() for line in lines]
    texts = [text.replace("{", "").replace("}", "") for text in texts][::every]
    found: list[Job] = [
        (f"{r.id} {p}", partial(routine_alone, routine=r, position=p, holds=1 if turn else 2))
        for r, p in cells
    ]
    found += [
        (f"lines {at}", partial(lines_alone, texts=texts[at : at + 20]))
        for at in range(0, len(texts), 20)
    ]
    numbered = list(enumerate(found))
    random.Random(turn).shuffle(numbered)
    return numbered


def alone(kit: Kit, way: str, folder: Path | None, job: Job, place: Place) -> Alone:
    """Play one thing to Charley itself; print the outcome on the error output."""
    name, play = job
    kitchen = Kitchen(kit, way, place, folder)
    play(kitchen)
    heard = kitchen.heard
    obeyed = tuple(f"{e.intent}: {e.text}" for e in heard if isinstance(e, UtteranceHeard))
    missed = tuple(e.text for e in heard if isinstance(e, UtteranceMissed))
    cleaning = kitchen.busy_seconds / kitchen.now
    found = Alone(way, place, name, kitchen.now, obeyed, missed, cleaning)
    print(json.dumps(asdict(found)), file=sys.stderr, flush=True)
    return found


# --- With a person -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spoken:
    """What came of a command over Charley's voice."""

    way: str
    place: Place
    person_db: float
    said: str
    voice: str
    heard: str
    right: bool
    delay_ms: float | None
    early: str
    """What Charley obeyed before the command was said."""


def with_person(
    kit: Kit, way: str, place: Place, folder: Path | None, *, person_db: float, number: int
) -> Spoken:
    """Say one command while Charley speaks."""
    text = SAID[number % len(SAID)]
    voice, chance = VOICES[number // len(SAID) % len(VOICES)], random.Random(f"{number} {place}")
    kitchen = Kitchen(kit, way, place, folder)
    kitchen.welcome()
    kitchen.happen(UtteranceHeard(kitchen.now, "", "cramp", {"muscle": "calf", "side": "left"}))
    kitchen.run(2.0 + chance.uniform(0.0, 4.0))
    early = " ".join(getattr(e, "intent", "missed") for e in kitchen.heard)
    kitchen.heard.clear()
    sound = spoken(voice, text).astype(float) / FULL_SCALE
    gain = 10 ** ((SPEECH_DB + place.level_db + person_db) / 20) / np.sqrt(np.mean(sound**2))
    ends = kitchen.now + len(sound) / RATE
    kitchen.run(len(sound) / RATE + PATIENCE_SECONDS, gain * sound)
    wanted = kit.wanted(text, "speaking")
    obeyed = [e for e in kitchen.heard if isinstance(e, UtteranceHeard)]
    first = obeyed[0].intent if obeyed else "missed" if kitchen.heard else "nothing"
    delay = round(1000 * (obeyed[0].at - ends)) if obeyed and first == wanted else None
    return Spoken(way, place, person_db, text, voice, first, first == wanted, delay, early)


# --- The table -----------------------------------------------------------------------------------


def table_alone(rows: list[Alone]) -> None:
    """Print what each way lets through at each level."""
    print(f"{'alone':16}{'echo':>7}{'minutes':>9}{'obeyed':>8}{'missed':>8}{'core %':>8}")
    for way in dict.fromkeys(row.way for row in rows):
        for level in (*LEVELS_DB, None):
            some = [r for r in rows if r.way == way and level in (None, r.place.level_db)]
            if not some:
                continue
            minutes = sum(r.seconds for r in some) / 60
            obeyed = Counter(text for r in some for text in r.obeyed)
            missed = sum(len(r.missed) for r in some)
            core = 100 * sum(r.cleaning * r.seconds for r in some) / (60 * minutes)
            name = "all" if level is None else f"{level} dB"
            print(f"{way:16}{name:>7}{minutes:9.1f}{obeyed.total():8}{missed:8}{core:8.2f}")
            if level is None:
                for text, count in obeyed.most_common(8):
                    print(f"{'':18}{text}: {count}")


def table_spoken(rows: list[Spoken]) -> None:
    """Print how a person is heard over each echo."""
    print(f"{'person':16}{'to echo':>8}{'n':>5}{'heard %':>9}{'median':>8}{'p95':>8}{'early':>7}")
    for way in dict.fromkeys(row.way for row in rows):
        for level in PERSON_DB:
            some = [r for r in rows if r.way == way and r.person_db == level]
            if not some:
                continue
            delays = [r.delay_ms for r in some if r.delay_ms is not None]
            cells = [percentile(delays, p) for p in (50, 95)]
            shown = "".join(f"{'-' if cell is None else round(cell):>8}" for cell in cells)
            share = 100 * sum(r.right for r in some) / len(some)
            early = sum(bool(r.early) for r in some)
            print(f"{way:16}{level:>5} dB{len(some):5}{share:9.0f}{shown}{early:7}")
        for text in SAID:
            some = [r for r in rows if r.way == way and r.said == text]
            wrong = Counter(r.heard for r in some if not r.right)
            print(f"{'':18}{text}: {sum(r.right for r in some)} of {len(some)} {dict(wrong)}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ways", default="shipped", help=f"of {', '.join(WAYS)}")
    parser.add_argument("--rooms", type=Path, default=SPEECH / "impulse_responses")
    parser.add_argument("--every", type=int, default=1, help="alone: only every nth routine")
    parser.add_argument(
        "--only", default="", help='alone: only what begins with this, such as "quad chair"'
    )
    parser.add_argument(
        "--place", default="", help='alone: all in one place, such as "kitchen 0 300"'
    )
    parser.add_argument("--turns", type=int, default=4, help="alone: each at so many levels")
    parser.add_argument("--repeats", type=int, default=50, help="person: trials at each level")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    kit = Kit()
    folder = options.rooms if options.rooms.is_dir() else None
    room, *numbers = options.place.split() or [""]
    fixed = Place(room, float(numbers[0]), int(numbers[1])) if numbers else None
    rows: list[Alone] = []
    said: list[Spoken] = []
    for way in options.ways.split(","):
        for turn in range(options.turns):
            rows += [
                alone(kit, way, folder, job, fixed or place_of(number, turn))
                for number, job in jobs(kit, options.every, turn)
                if job[0].startswith(options.only)
            ]
        for person_db in PERSON_DB if options.repeats else ():
            said += [with_person(
                    kit, way, place_of(n, n // 5), folder, person_db=person_db, number=n)
                     for n in range(options.repeats)]  # fmt: skip
    if options.json:
        print(json.dumps({"alone": [asdict(r) for r in rows], "person": [asdict(s) for s in said]}))
        return
    table_alone(rows)
    table_spoken(said)


if __name__ == "__main__":
    main()
