"""What people may say, loaded from the sentence templates under intents/<language>/sentences.

The files are in Home Assistant's format (hassil parses them). One `Intents` feeds the matcher, the
recogniser's grammar, the tests and the help, so a word is written down once.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assistant.nlu.automaton import Automaton
from assistant.nlu.templates import FOR_ANY_DEVICE, Context, LanguageRules, Template, Value


@dataclass(frozen=True, slots=True)
class Intents:
    """The loaded sentence templates of one language."""

    language: LanguageRules
    templates: tuple[Template, ...]
    lists: Mapping[str, tuple[Value, ...]]
    rules: Mapping[str, str]
    automaton: Automaton
    skip_words: frozenset[str]
    """Single words that may come anywhere, inside a template too."""
    _sampled: dict[tuple[Context, frozenset[str] | None], tuple[str, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def sampled(self) -> int:
        """How many lists of phrases were sampled so far."""
        return len(self._sampled)

    def blocks(self, context: Context = None) -> Iterator[Template]:
        """Yield the templates that may count in `context` (None: all), in file order."""
        for template in self.templates:
            if template.block.has_meaning and template.block.counts_in(context):
                yield template

    def openings(self) -> Iterator[Template]:
        """Yield the templates that wake Charley where a device listens for other things too."""
        for template in self.blocks(frozenset()):
            if template.block.intent not in FOR_ANY_DEVICE:
                yield template

    def phrases(
        self, context: Context = None, among: frozenset[str] | None = None
    ) -> tuple[str, ...]:
        """Return phrases that hold every pair of neighbours of every template and every value.

        Not every sentence: the recogniser makes a bigram model of them, so pairs suffice. `among`
        keeps to some intents; None is all of them.
        """
        key = (context, among)
        if key not in self._sampled:
            # Imported only here: hassil takes as long to import as all of this to be read from the
            # cache, and is missing where nothing can be compiled.
            from assistant.nlu.sampler import sample

            blocks = self.blocks(context)
            wanted = (t for t in blocks if among is None or t.block.intent in among)
            found = sample(wanted, self.lists, self.rules)
            # Most of them are said in every context: each is kept once.
            self._sampled[key] = tuple(map(sys.intern, found))
        return self._sampled[key]

    def words(self) -> tuple[str, ...]:
        """Return every word that anyone may say to Charley, sorted."""
        return tuple(sorted({word for phrase in self.phrases() for word in phrase.split()}))


def load(folder: Path) -> Intents:
    """Return the sentences of one language, or raise an error that names file and line."""
    from assistant.nlu import compiler, template_files  # see `Intents.phrases`

    files = template_files.read_folder(folder)
    compiler.check(files, folder)
    return Intents(*compiler.compile_templates(files))


def load_files(paths: Iterable[Path]) -> Intents:
    """Return the sentences of some files, without what a language adds; raises as `load`."""
    from assistant.nlu import compiler, template_files

    return Intents(*compiler.compile_templates(template_files.read_files(paths)))
