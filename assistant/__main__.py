"""Run Charley as `charley` or `python -m assistant`."""

import signal
import sys


def main() -> int:
    """Run one command; Ctrl-C ends it without a traceback, also while its modules are loaded."""
    heeded = signal.getsignal(signal.SIGINT)
    is_usual = heeded is signal.default_int_handler  # else somebody wants it ignored
    if is_usual:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from assistant.cli.app import main as run

    try:
        if is_usual:
            signal.signal(signal.SIGINT, heeded)
        return run()
    except KeyboardInterrupt:
        return 130
    finally:
        if is_usual:  # Python's own end may be interrupted, too
            signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(main())
