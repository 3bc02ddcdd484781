"""Run Charley as `python -m assistant`."""

import sys

from assistant.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
