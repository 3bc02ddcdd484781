"""Print what Charley says first to each red flag in each state.

    python -m bench.understanding.red_flags

Each cell is one step of the dialogue: W is the warning at once, ? a safety question, - neither.
Exits with 1 if a cell is -.
"""

from __future__ import annotations

import argparse
import sys

from assistant.content import language_pack
from assistant.dialogue.actions import Say
from assistant.dialogue.events import UtteranceHeard
from assistant.dialogue.machine import step
from assistant.dialogue.state import CoachingOptions, DialogueState, State
from assistant.paths import intents_folder

PACK = language_pack.load(intents_folder())
CERTAIN = (True, False)


def cell(state: State, flag: str, *, certain: bool) -> str:
    """Return the kind of the first line that answers a sign in a state."""
    now = DialogueState(
        state=state, muscle="calf", routine="calf", version="standing", requested_slot="muscle",
        safety_questions=("pop",), red_flag="redflag_numb_weak",
    )  # fmt: skip
    slots = {} if certain else {"certain": "no"}
    _, actions = step(now, UtteranceHeard(0.0, flag, flag, slots), PACK, CoachingOptions())
    spoken = [action.key for action in actions if isinstance(action, Say)]
    if spoken and spoken[0] == f"{flag}.1":
        return "W"
    return "?" if spoken and spoken[0].startswith("triage.") else "-"


def main() -> int:
    """Print both matrices; return 1 if a sign is not answered somewhere."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    empty = 0
    for certain in CERTAIN:
        print("\nsaid plainly" if certain else "\nsaid as a figure of speech")
        print(f"{'':26}" + " ".join(f"{state.value[:7]:>7}" for state in State))
        for flag in PACK.red_flags.flags:
            cells = [cell(state, flag, certain=certain) for state in State]
            empty += cells.count("-")
            print(f"{flag.removeprefix('redflag_'):26}" + " ".join(f"{c:>7}" for c in cells))
    return int(empty > 0)


if __name__ == "__main__":
    sys.exit(main())
