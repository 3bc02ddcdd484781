"""What the soak makes of clocks that drift, stop and lose sound."""

import json
from pathlib import Path

import pytest

from assistant.frontends.live import loop, microphone_input, speaker_output
from bench.endurance.drift import Seen, follow, read


def written(path: Path, speaker: list[float], dry: list[int], told: float = 0.0) -> Path:
    """Write a monitor's file; `speaker` is how far it is ahead in each second."""
    lines = [
        {"dry": gaps, "lost": 0, "played": ahead, "heard": 0.0, "waits": 0.0,
         "told": told * at, "at": float(at)}
        for at, (ahead, gaps) in enumerate(zip(speaker, dry, strict=True))
    ]  # fmt: skip
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
    return path


def late(at: int) -> float:
    """Return how late the sound card asks in a second: often a little, now and then much."""
    return 0.004 * (at % 3) + (0.2 if at % 17 == 0 else 0.0)


def test_a_card_that_only_asks_late_does_not_drift(tmp_path: Path) -> None:
    found = read(written(tmp_path / "x", [-late(at) for at in range(200)], [0] * 200))
    assert found.problems(0.0) == []
    assert found.courses[0].ppm == pytest.approx(0.0, abs=5.0)


@pytest.mark.parametrize("ppm", [-300, 300])
def test_a_card_that_runs_wrong_is_found(tmp_path: Path, ppm: int) -> None:
    ahead = [1e-6 * ppm * at - late(at) for at in range(400)]
    found = read(written(tmp_path / "x", ahead, [0] * 400))
    assert found.courses[0].ppm == pytest.approx(ppm, rel=0.1)
    assert found.problems(0.0) == [f"the speaker drifts by {found.courses[0].ppm:.0f} ppm"]


@pytest.mark.parametrize("is_told", [True, False])
def test_a_gap_that_is_not_reported_is_a_loss(tmp_path: Path, is_told: bool) -> None:
    ahead = [-late(at) - (0.5 if at > 100 else 0.0) for at in range(200)]
    dry = [int(is_told and at > 100) for at in range(200)]
    found = read(written(tmp_path / "x", ahead, dry))
    speaker = found.courses[0]
    assert speaker.gaps == is_told
    assert (speaker.gaps_ms, speaker.unreported_ms)[not is_told] == pytest.approx(500, abs=10)
    assert bool(found.problems(0.0)) != is_told


def test_time_that_the_conversation_leaves_out_must_be_reported(tmp_path: Path) -> None:
    found = read(written(tmp_path / "x", [0.0] * 100, [0] * 100, told=-0.01))
    assert found.skipped_ms == pytest.approx(890)
    assert found.problems(0.89) == []
    assert "clock is 890 ms off" in found.problems(0.0)[0]


def test_the_live_loop_has_the_parts_that_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [
        (speaker_output, "Timeline"),
        (speaker_output, "Speaker"),
        (microphone_input, "Microphone"),
        (loop, "SystemClock"),
    ]
    for module, name in parts:
        monkeypatch.setattr(module, name, getattr(module, name))  # put back after the test
    seen = Seen()
    follow(seen)
    [*_, (module, name)] = parts
    assert getattr(module, name)() is seen.clock
    assert "told" in seen.line()
