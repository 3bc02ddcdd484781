"""A hold as cues on one sample clock: it cannot drift, because nothing in it waits.

Second 0 is the first sample of the hold. With ten seconds the count "one" starts at exactly 1 s
and "ten" at exactly 10 s, which is the end of the hold; the end chime follows the last word. This
is the one place that turns a position into counts done.
"""

from dataclasses import dataclass
from enum import StrEnum


class CountStyle(StrEnum):
    """Which number is spoken at each second."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Cue:
    """One spoken count."""

    at_samples: int
    """Offset of the word's first sample from the hold's start."""
    number: int
    """The number that is spoken."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A counted hold."""

    seconds: int = 10
    """Length in counts, each of one beat."""
    style: CountStyle = CountStyle.UP
    beat: float = 1.0
    """Seconds between two counts; above 1 after "slower" was asked for the counting."""
    start_count: int = 0
    """Counts already done, if an interrupted hold goes on."""

    def cues(self, rate: int) -> tuple[Cue, ...]:
        """Return the counts still to come, earliest first, for a sample rate in hertz."""
        return tuple(
            Cue(round((n - self.start_count) * self.beat * rate), self._number(n))
            for n in range(self.start_count + 1, self.seconds + 1)
        )

    def length_samples(self, rate: int) -> int:
        """Return the samples from the hold's start to its last count."""
        return round((self.seconds - self.start_count) * self.beat * rate)

    def counts_done(self, position_seconds: float) -> int:
        """Return how many counts have begun at a position from this timeline's start."""
        done = self.start_count + int(max(0.0, position_seconds) / self.beat + 1e-9)
        return min(done, self.seconds)

    def counts_left(self, position_seconds: float) -> int:
        """Return how many counts are still to come at a position."""
        return self.seconds - self.counts_done(position_seconds)

    def _number(self, count: int) -> int:
        return count if self.style is CountStyle.UP else self.seconds - count + 1
