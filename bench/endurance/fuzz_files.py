"""Read hostile files: journals, settings, languages, sound files, lines of the voice cache.

    python -m bench.endurance.fuzz_files [--cases 100000] [--seed 1] [--only journal:17]

A case may take two seconds of processor time and one gigabyte more than the program has at the
start. Whatever a file holds, it is read or refused in a sentence; anything else is printed with the
case's number, which `--only` repeats.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.processes import resident_mb
from tests.support.fuzzing_files import KINDS, case, read

MOST_SECONDS = 2.0
"""Of processor time, for one case."""
MOST_BYTES = 1 << 30
"""Of memory, beyond what the program has when the cases begin."""
WARM_CASES = 20


class TooSlow(BaseException):
    """A case took longer than it may; no reader catches this."""


@contextmanager
def limited_time() -> Iterator[None]:
    """Raise TooSlow in what takes longer than a case may."""
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def limit_memory() -> None:
    """Let whatever takes far more memory than the program has now fail with a MemoryError."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    now = pages * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + MOST_BYTES, resource.RLIM_INFINITY))


def fault(kind: str, seed: int, number: int, folder: Path, counts: Counter[str]) -> str:
    """Try one case; return what went wrong, empty for nothing."""
    data = case(kind, seed, number)
    try:
        with limited_time():
            counts["refused" if read(kind, data, folder) else "read"] += 1
    except TooSlow:
        return f"took more than {MOST_SECONDS:g} s"
    except Exception:  # noqa: BLE001  # whatever a reader lets through is what is looked for
        return traceback.format_exc()
    return ""


def raise_too_slow(*_given: object) -> None:
    """Answer the alarm of `limited_time`."""
    raise TooSlow


def run(kind: str, seed: int, numbers: range) -> int:
    """Try the cases of one kind and print what became of them; return how many went wrong."""
    counts, faults, began = Counter[str](), 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            said = fault(kind, seed, number, Path(folder), counts)
            if said:
                faults += 1
                print(f"{kind}:{number}: {said}", flush=True)
    seconds = time.monotonic() - began
    print(
        f"{kind:9} {len(numbers):7} cases, {counts['read']:7} read, {counts['refused']:7} refused, "
        f"{faults} wrong, {seconds:.0f} s",
        flush=True,
    )
    return faults


def main() -> int:
    """Try all kinds in turn; exit code 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", metavar="KIND:NUMBER", default="", help="repeat one case")
    wanted = parser.parse_args()
    signal.signal(signal.SIGPROF, raise_too_slow)
    if wanted.only:
        kind, _, number = wanted.only.partition(":")
        return int(run(kind, wanted.seed, range(int(number), int(number) + 1)) > 0)
    each = wanted.cases // len(KINDS)
    for kind in KINDS:  # what is loaded once, is
        run(kind, wanted.seed, range(min(WARM_CASES, each)))
    limit_memory()
    before = resident_mb(os.getpid())
    faults = sum(run(kind, wanted.seed, range(each)) for kind in KINDS)
    after = resident_mb(os.getpid())
    print(f"seed {wanted.seed}; memory {before:.0f} MB before, {after:.0f} MB after")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
