"""What commands print besides their results."""

import sys

from assistant.content.ui_text import printable

_LONGEST = 2_000
"""Characters of one sentence that are shown."""


def complain(sentence: str) -> None:
    """Write to standard error, on one line, why a command failed."""
    # What a file's name holds that is no text stays visible.
    text = sentence.encode("utf-8", "backslashreplace").decode()
    text = " ".join(printable(text).split())
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    print(f"charley: {cut}", file=sys.stderr)


def tell(sentence: str) -> None:
    """Print a remark on standard error, apart from the conversation."""
    print(f"charley: {sentence}", file=sys.stderr, flush=True)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, such as "1 event" and "2 events"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
