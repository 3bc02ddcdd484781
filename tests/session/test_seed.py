"""The seed article, row by row (domain text, part 1): each statement is spoken when it is due."""

from __future__ import annotations

import pytest

from tests.support.languages import language
from tests.support.plays import perform

CALF = "my calf is cramping"
ROWS: list[tuple[int, str, list[str], str]] = [
    (1, "cramps hurt and can ruin a race", ["what do i do about cramp"], "can ruin a race"),
    (2, "stop it, why it comes, how to prevent it", ["help", "no"], "stop it now, tell you why"),
    (3, "act at the first twitch", ["my calf is twitching"], "Act at the twitch, before it locks"),
    (4, "first of all stop running", [CALF], "Stop running."),
    (5, "relax the contracted muscle", [CALF], "Let the calf go as loose as you can."),
    (6, "stopping may let you finish", [CALF, "still there"], "It may be what lets you finish"),
    (7, "contract the opposite muscle first", [CALF, "what do i do"], "Tighten the shin muscle"),
    (8, "after one go you know it", [CALF, "still there"], "You know how it goes now"),
    (9, "not just stretch", [CALF], "Think shin, not stretch"),
    (10, "stretching risks soreness", [CALF, "can i stretch it"], "can leave it sorer"),
    (11, "step 1: leg in front", [CALF], "one step in front, foot flat on the ground"),
    (12, "step 2: sit back", [CALF], "sit back, like onto a stool. Front knee stays soft"),
    (13, "step 3: lean, toes up", [CALF], "Heel down, lift your toes up toward your shin"),
    (14, "step 4: squeeze the shin", [CALF], "Squeeze your shin muscle."),
    (15, "step 5: hold ten", [CALF], "One. Two. Three. Four. Five. Six. Seven. Eight. Nine. Ten."),
    (15, "step 5: let go slowly", [CALF], "Slowly let your toes drop to the ground. Now stand up"),
    (15, "step 5: repeat if needed", [CALF, "still there"], "Squeeze the shin. Hold."),
    (16, "step 6: ease into the pace", [CALF, "gone"], "jog slowly and ease into your pace"),
    (17, "it comes back: slow down", [CALF, "gone", "it's back"], "Slow down. Relax your legs."),
    (18, "both calves: lie down", ["both calves are cramping", "standing"], "Sit or lie down."),
    (18, "helpers must not push", [CALF, "someone's here to help"], "not to push hard"),
    (19, "hamstring: the thigh muscle", ["hamstring cramp"], "Squeeze the front of your thigh"),
    (20, "on the ground: the same", [CALF, "i'm sat on the grass"], "Squeeze the shin"),
    (21, "toes, sitting", ["my toes are cramping i'm sitting down"], "Pull your toes up"),
    (22, "why you get them", ["why do i cramp"], "Nobody knows for sure"),
    (22, "how to prevent them", ["how do i prevent cramp"], "Start slower. Build up gradually."),
    (22, "side cramps", ["i've got a stitch"], "A stitch isn't a cramp"),
    (23, "causes of leg cramps", ["what causes cramp"], "Tired muscles and going too fast"),
]


@pytest.mark.parametrize(
    ("row", "statement", "user", "spoken"), ROWS, ids=[f"{row[0]}-{row[1]}" for row in ROWS]
)
def test_the_statement_is_spoken(row: int, statement: str, user: list[str], spoken: str) -> None:
    english = language("en")
    assert spoken in "\n".join(perform(user, english.pack, english.matcher)), (
        f"row {row}: {statement}"
    )


def test_no_row_is_missing() -> None:
    assert {row[0] for row in ROWS} == set(range(1, 24))
