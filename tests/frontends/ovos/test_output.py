"""What is sent to OVOS's audio service, which all devices share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from assistant.audio.pcm import Samples
from assistant.dialogue.actions import Action, Hush
from assistant.frontends.ovos.output import Cut, Play, Stretches


@dataclass
class Ahead:
    """A timeline with this much sound ahead; a hush drops it."""

    samples: int
    rate: int = 22_050
    position_samples: int = 0

    def perform(self, action: Action) -> None:
        """Drop it all."""
        assert isinstance(action, Hush)
        self.samples = 0

    def ahead(self) -> Samples:
        """Return what is not heard yet."""
        return np.ones(self.samples, np.int16)


@pytest.mark.parametrize(("samples", "orders"), [(0, []), (1000, [Cut()])])
def test_a_hush_cuts_only_what_this_device_plays(samples: int, orders: list[Cut]) -> None:
    output = Stretches(Ahead(samples))  # type: ignore[arg-type]
    assert all(isinstance(order, Play) for order in output.take(0.0))
    output.perform(Hush())
    assert output.take(0.1) == orders
