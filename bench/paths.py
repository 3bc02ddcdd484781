"""Where the repository's data and the figures of its documentation are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SENTENCES = ROOT / "intents/en/sentences"
UTTERANCES = ROOT / "tests/utterances/en"
"""Typed lines, one file for each meaning."""
UNSEEN = ROOT / "tests/utterances/unseen"
"""The same, by people who had not read the sentences."""
SPEECH = ROOT.parent / "shared/speech"
"""Recordings, noises and impulse responses, which are not in the repository."""
FIGURES = ROOT / "docs/figures"
PAGE = ROOT / "docs/figures.md"
