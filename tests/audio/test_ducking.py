"""Music goes down while Charley speaks and comes back to exactly what it was, whatever happens."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.audio.ducking import Ducking, restore
from assistant.audio.pulse_mixer import Stream
from assistant.audio.volume_ramp import LOWEST, NORMAL, Volumes, is_lowered, lowered
from tests.support.examples import examples

SPEAKER, OTHER_SPEAKER = 0, 1
NAMES = ["music", "browser"]
LEVELS = st.tuples(st.integers(0, NORMAL), st.integers(0, NORMAL))
HAPPENINGS = st.one_of(
    st.tuples(st.just("move"), st.integers(0, LOWEST)),
    st.tuples(st.just("begin"), st.sampled_from(NAMES)),
    st.tuples(st.just("turn"), st.sampled_from(NAMES), LEVELS),
    st.tuples(st.just("end"), st.sampled_from(NAMES)),
)


class Killed(Exception):
    """What `kill -9` is to a process."""


class Server:
    """A sound server that keeps each name's last volume for its next stream, as PulseAudio does.

    `true` is what the volumes would be without Charley.
    """

    def __init__(self, dies_after: int = -1) -> None:
        self.playing: dict[int, Stream] = {}
        self.true: dict[int, Volumes] = {}
        self.kept: dict[str, Volumes] = {}
        self.truly_kept: dict[str, Volumes] = {}
        self.begun = 0
        self.dies_after = dies_after
        """How many volumes may be set before Charley is killed; negative for never."""
        self.begin("charley", is_ours=True)

    def begin(
        self, name: str, *, sink: int = SPEAKER, role: str = "", is_ours: bool = False
    ) -> int:
        """Play something; if the name is playing already, that ends."""
        for index, stream in list(self.playing.items()):
            if stream.name == name:
                del self.playing[index]
        index, self.begun = self.begun, self.begun + 1
        volumes = self.kept.get(name, (NORMAL, NORMAL))
        self.playing[index] = Stream(index, name, sink, volumes, role, is_ours)
        self.true[index] = self.truly_kept.get(name, (NORMAL, NORMAL))
        return index

    def turn(self, name: str, volumes: Volumes) -> None:
        """The user sets a volume."""
        for index, stream in self.playing.items():
            if stream.name == name and not is_lowered(volumes, self.true[index]):
                self._set(index, volumes)
                self.true[index] = self.truly_kept[name] = volumes

    def _set(self, index: int, volumes: Volumes) -> None:
        old = self.playing[index]
        self.playing[index] = Stream(index, old.name, old.sink, volumes, old.role, old.is_ours)
        self.kept[old.name] = volumes

    def streams(self) -> list[Stream]:
        return list(self.playing.values())

    def set(self, index: int, volumes: Volumes) -> None:
        if self.dies_after == 0:
            raise Killed
        self.dies_after -= 1
        self._set(index, volumes)

    def restore_kept(self, name: str, original: Volumes) -> None:
        if is_lowered(self.kept.get(name, ()), original):
            self.kept[name] = original

    @property
    def volumes(self) -> dict[int, Volumes]:
        return {index: stream.volumes for index, stream in self.playing.items()}

    def is_as_without_charley(self) -> bool:
        """Return whether everything that plays, or will, has the volume that the user chose."""
        playing = {index: self.true[index] for index in self.playing}
        defaults = {name: self.truly_kept.get(name, (NORMAL, NORMAL)) for name in self.kept}
        return self.volumes == playing and self.kept == defaults


def forget(_originals: object) -> None:
    """Keep no note."""


def happen(server: Server, ducking: Ducking, what: str, *how: object) -> None:
    match what, how:
        case "move", (int(step),):
            ducking.move(server, step)
        case "begin", (str(name),):
            server.begin(name)
        case "turn", (str(name), tuple(volumes)):
            server.turn(name, volumes)
        case "end", (str(name),):
            for index, stream in list(server.playing.items()):
                if stream.name == name:
                    del server.playing[index]


@settings(max_examples=examples(150))
@given(st.lists(HAPPENINGS, max_size=30))
def test_in_the_end_all_is_as_it_would_be_without_charley(
    happenings: list[tuple[object, ...]],
) -> None:
    server, ducking = Server(), Ducking(forget)
    for what, *how in happenings:
        happen(server, ducking, str(what), *how)
    ducking.move(server, 0)
    assert server.is_as_without_charley()


@settings(max_examples=examples(150))
@given(st.lists(HAPPENINGS, max_size=30), st.integers(0, 20))
def test_what_a_killed_charley_left_low_is_restored_at_the_next_start(
    happenings: list[tuple[object, ...]], dies_after: int
) -> None:
    noted: list[tuple[str, Volumes]] = []

    def note(originals: list[tuple[str, Volumes]]) -> None:
        noted[:] = originals

    server = Server(dies_after)
    ducking = Ducking(note)
    with suppress(Killed):
        for what, *how in happenings:
            happen(server, ducking, str(what), *how)
    server.dies_after = -1
    restore(server, noted)
    assert server.is_as_without_charley()


class TestDucking:
    """Who is lowered, and who is not."""

    def test_by_fifteen_decibels_and_each_channel_by_as_much(self) -> None:
        left, right = lowered((NORMAL, NORMAL // 2), LOWEST)
        assert 20 * np.log10((left / NORMAL) ** 3) == pytest.approx(-15, abs=0.01)
        assert right / left == pytest.approx(0.5, abs=0.001)

    def test_never_charley_itself(self) -> None:
        server = Server()
        Ducking(forget).move(server, LOWEST)
        assert server.volumes == {0: (NORMAL, NORMAL)}

    @pytest.mark.parametrize("role", ["a11y", "phone", "event"])
    def test_not_what_must_be_heard(self, role: str) -> None:
        server = Server()
        call = server.begin("call", role=role)
        Ducking(forget).move(server, LOWEST)
        assert server.volumes[call] == (NORMAL, NORMAL)

    def test_not_what_plays_elsewhere(self) -> None:
        server = Server()
        kitchen = server.begin("kitchen", sink=OTHER_SPEAKER)
        Ducking(forget).move(server, LOWEST)
        assert server.volumes[kitchen] == (NORMAL, NORMAL)

    def test_nobody_while_charley_plays_nowhere(self) -> None:
        server, ducking = Server(), Ducking(forget)
        music = server.begin("music")
        ducking.move(server, LOWEST)
        del server.playing[0]  # the speaker was unplugged
        ducking.move(server, LOWEST)
        assert server.volumes == {music: (NORMAL, NORMAL)}

    def test_what_the_user_turns_up_meanwhile_is_left_so_until_charley_has_spoken(self) -> None:
        server, ducking = Server(), Ducking(forget)
        music = server.begin("music")
        ducking.move(server, LOWEST)
        server.turn("music", (60000, 60000))
        ducking.move(server, LOWEST)
        assert server.volumes[music] == (60000, 60000)
        ducking.move(server, 0)
        ducking.move(server, LOWEST)
        assert server.volumes[music] == lowered((60000, 60000), LOWEST)
