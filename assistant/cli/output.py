"""What commands write besides their results."""

import sys


def tell(sentence: str) -> None:
    """Write a remark to standard error, apart from the conversation."""
    print(f"charley: {sentence}", file=sys.stderr, flush=True)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, such as "1 event" and "2 events"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
