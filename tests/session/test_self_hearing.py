"""On a loudspeaker Charley hears itself, and must not take its own words for a person's."""

from collections.abc import Iterable

import numpy as np
import pytest

from assistant.asr.hypothesis import Alternative, Hypothesis, Word
from assistant.audio.pcm import Pcm, Samples
from assistant.content import language_pack
from assistant.dialogue.actions import Action, Interject
from assistant.dialogue.events import Event, Started, UtteranceHeard, UtteranceMissed
from assistant.dialogue.state import CoachingOptions, State
from assistant.nlu import intents
from assistant.nlu.matcher import Matcher
from assistant.playback.timeline import Timeline
from assistant.playback.timeline_output import TimelineOutput
from assistant.session.listening import ContextListener
from assistant.session.session import Session
from assistant.session.spoken import SpokenConversation
from tests.support import ROOT

ENGLISH = ROOT / "intents" / "en"
PACK = language_pack.load(ENGLISH)
INTENTS = intents.load(ENGLISH / "sentences")
MATCHER = Matcher(INTENTS)
RATE = 1000
BLOCK = np.zeros(160, np.int16)


class Murmur:
    """A voice that takes 300 ms for a word."""

    def render(self, text: str, pace: float = 1.0) -> Pcm:
        return Pcm(np.full(round(300 * len(text.split()) / pace), 500, np.int16), RATE)


class FakeRecogniser:
    """A recogniser that hears what the test says."""

    def __init__(self) -> None:
        self.next: list[Hypothesis] = []

    def feed(self, _samples: Samples) -> list[Hypothesis]:
        found, self.next = self.next, []
        return found

    def listen(self, phrases: Iterable[str]) -> None:
        """Take any phrases."""

    def finish(self) -> list[Hypothesis]:
        return []


class Kitchen:
    """Charley on a loudspeaker, and all that it took for a person's words."""

    def __init__(self, *, loudspeaker: bool = True) -> None:
        self.at = 0.0
        self.taken: list[str] = []
        self._ear = FakeRecogniser()
        self.timeline = Timeline(Murmur(), RATE)
        sound = TimelineOutput(self.timeline)
        self.session = Session(PACK, MATCHER, CoachingOptions(), sound, watch=self._watch)
        self._talk = SpokenConversation(
            self.session,
            sound,
            ContextListener(self._ear, INTENTS),
            self.timeline.speaking_now if loudspeaker else None,
        )
        self.session.handle(Started(0.0, first_time=False))
        self.wait(10.0)
        self.session.hear("my left calf is cramping", self.at)
        self.taken.clear()

    def _watch(self, event: Event, _actions: tuple[Action, ...]) -> None:
        if isinstance(event, UtteranceHeard | UtteranceMissed):
            self.taken.append(event.text)

    @property
    def state(self) -> State:
        return self.session.now.state

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.05)):
            self.at += 0.05
            self.timeline.read(round(0.05 * RATE))
            self._talk.tick(self.at)

    def hear(self, text: str, *, stable: int | None = None, final: bool = False) -> None:
        """Let the recogniser hear a hypothesis; all of it is stable unless told."""
        count = len(text.split()) if stable is None else stable
        self._ear.next = [Hypothesis(text, (), final, self.at, count)]
        self._talk.tick(self.at, BLOCK)

    def hear_one_of(self, *texts: str) -> None:
        """Let the recogniser end an utterance, the likeliest first, each a little behind."""
        found = (
            Alternative(tuple(Word(w, 0.0, 0.1) for w in text.split()), 0.2 * place)
            for place, text in enumerate(texts)
        )
        self._ear.next = [Hypothesis.ended(tuple(found), self.at)]
        self._talk.tick(self.at, BLOCK)

    def echo(self) -> None:
        """Feed "Stop running." back, as a recogniser comes to hear it."""
        self.wait(0.5)
        for stable in (0, 1):
            self.hear("stop", stable=stable)
        self.wait(0.3)
        self.hear("stop running")


@pytest.fixture
def kitchen() -> Kitchen:
    return Kitchen()


def test_its_own_stop_triggers_nothing_and_a_persons_does(kitchen: Kitchen) -> None:
    kitchen.echo()
    kitchen.wait(0.6)
    kitchen.hear("stop running", final=True)
    assert kitchen.taken == []
    kitchen.wait(1.0)
    kitchen.hear("stop")
    assert kitchen.taken == ["stop"]
    kitchen.wait(0.6)
    kitchen.hear("stop", final=True)
    assert kitchen.taken == ["stop"]
    assert kitchen.state is State.IDLE


def test_with_earbuds_the_same_words_are_a_persons() -> None:
    kitchen = Kitchen(loudspeaker=False)
    kitchen.echo()
    assert kitchen.taken == ["stop"]


def test_a_long_echo_is_known_to_its_end(kitchen: Kitchen) -> None:
    """Its first words were said long before it ends, longer than an echo lasts."""
    kitchen.echo()
    for text in ("stop running [unk]", "stop running [unk] to the side"):
        kitchen.wait(1.0)
        kitchen.hear(text)
    kitchen.wait(0.5)
    kitchen.hear("stop running [unk] to the side", final=True)
    assert kitchen.taken == []


def test_an_unstable_word_of_a_person_does_not_let_the_echo_pass(kitchen: Kitchen) -> None:
    kitchen.wait(0.5)
    kitchen.hear("stop yes", stable=1)
    assert kitchen.taken == []


def test_a_persons_word_in_an_echo_is_heard(kitchen: Kitchen) -> None:
    kitchen.echo()
    kitchen.wait(0.3)
    kitchen.hear("stop running no", final=True)
    assert kitchen.taken == ["stop running no"]


@pytest.mark.parametrize("loudspeaker", [False, True])
def test_an_utterance_that_nobody_near_has_said_is_not_answered(*, loudspeaker: bool) -> None:
    kitchen = Kitchen(loudspeaker=loudspeaker)
    kitchen.wait(3.0)
    kitchen.hear("", final=True)
    assert kitchen.taken == []
    kitchen.hear("stop")
    kitchen.hear("", final=True)
    kitchen.session.handle(UtteranceHeard(kitchen.at, "again", "cramp", {"muscle": "calf"}))
    kitchen.wait(3.0)
    kitchen.hear("stop")
    assert kitchen.taken == ["stop", "again", "stop"]


def test_the_end_of_an_utterance_that_was_answered_is_not_dropped(kitchen: Kitchen) -> None:
    """Else the session would still wait for it, and be deaf to the next early word."""
    kitchen.wait(3.0)
    kitchen.hear("stop")
    kitchen.session.handle(UtteranceHeard(kitchen.at, "again", "cramp", {"muscle": "calf"}))
    kitchen.timeline.perform(Interject("opening.stop", "Stop."))
    kitchen.wait(0.3)
    kitchen.hear("stop", final=True)
    kitchen.wait(2.0)
    kitchen.hear("stop")
    assert kitchen.taken == ["stop", "again", "stop"]


def test_murmuring_is_charleys_while_it_speaks_and_a_persons_after(kitchen: Kitchen) -> None:
    kitchen.wait(0.5)
    kitchen.hear("[unk]", final=True)
    assert kitchen.taken == []
    quiet = Kitchen()
    quiet.session.hear("stop", quiet.at)
    quiet.wait(10.0)
    quiet.taken.clear()
    quiet.hear("[unk]", final=True)
    assert quiet.taken == ["[unk]"]


@pytest.mark.parametrize(("loudspeaker", "misses"), [(True, 0), (False, 1)])
def test_nonsense_is_not_answered_if_charley_spoke_meanwhile(
    *, loudspeaker: bool, misses: int
) -> None:
    """The rest of an echo may sound like any word; an answer would be the next echo."""
    kitchen = Kitchen(loudspeaker=loudspeaker)
    while kitchen.session.now.speaking:
        kitchen.wait(0.05)
    kitchen.hear("locked up")
    kitchen.wait(0.6)
    kitchen.hear("locked up", final=True)
    assert kitchen.taken == ["locked up"]
    assert kitchen.session.now.misses == misses


@pytest.mark.parametrize(("loudspeaker", "taken"), [(True, ["this"]), (False, ["it is"])])
def test_the_rest_of_an_echo_is_not_searched_for_sense(
    *, loudspeaker: bool, taken: list[str]
) -> None:
    """Something that it may have been makes sense nearly always."""
    kitchen = Kitchen(loudspeaker=loudspeaker)
    kitchen.wait(0.5)
    kitchen.hear_one_of("this", "is this", "it is")
    assert kitchen.taken == taken
    assert kitchen.session.now.misses == 0


def test_a_red_flag_is_searched_for_all_the_same(kitchen: Kitchen) -> None:
    kitchen.wait(0.5)
    kitchen.hear_one_of("my chest that's", "my chest hurts")
    assert kitchen.taken == ["my chest hurts"]


def test_a_red_flag_that_charley_itself_said_is_no_persons() -> None:
    kitchen = Kitchen()
    kitchen.timeline.perform(Interject("opening.stop", "Is it chest pain?"))
    kitchen.wait(1.0)
    kitchen.hear_one_of("chess pain", "chest pain")
    assert kitchen.taken == []


def test_an_utterance_that_came_to_nothing_is_forgotten(kitchen: Kitchen) -> None:
    kitchen.wait(0.5)
    kitchen.hear("stop")
    kitchen.wait(3.0)
    kitchen.hear("so", stable=0)
    kitchen.hear("stop", final=True)
    assert kitchen.taken == ["stop"]
