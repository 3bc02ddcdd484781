"""The locale folder that OVOS expects from a skill, written from the sentences of intents/.

It holds what may begin a conversation. Once one runs, Charley understands for itself, as it does
for what is too rich to be written out: OVOS asks it when no intent fits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from assistant.atomic_file import write_whole
from assistant.content.language_pack import LanguagePack
from assistant.nlu.expressions import count, is_plain, spread, tree
from assistant.nlu.intents import Intents
from assistant.nlu.templates import Template

_LIST = re.compile(r"\{\w+\}")
_MOST_SENTENCES = 8
"""Sentences of a template; a template that stands for more is left to Charley's matcher."""
_EXAMPLES = 3


def files(intents: Intents, pack: LanguagePack) -> Mapping[str, str]:
    """Return the text of every file of one language's locale folder, by its name.

    An .intent file holds sentences with {lists}, an .entity file the values of a list.
    """
    sentences: dict[str, dict[str, None]] = {}
    for template in intents.openings():
        found = sentences.setdefault(template.block.intent, {})
        found.update(dict.fromkeys(_sentences(template, intents)))
    written = {f"{intent}.intent": tuple(lines) for intent, lines in sentences.items()}
    used = {name for name in intents.lists if any(f"{{{name}}}" in s for s in _all(written))}
    for list_name in sorted(used):
        values = dict.fromkeys(value.text for value in intents.lists[list_name])
        written[f"{list_name}.entity"] = tuple(values)
    texts = {file: "\n".join(lines) + "\n" for file, lines in sorted(written.items()) if lines}
    examples = [_filled(line, intents) for line in written["cramp.intent"][:_EXAMPLES]]
    description = pack.prompts.line("welcome.again").text
    about = {"name": "Charley", "description": description, "examples": examples}
    return texts | {"skill.json": json.dumps(about, indent=2, ensure_ascii=False) + "\n"}


def write(folder: Path, tag: str, texts: Mapping[str, str]) -> Path:
    """Write one language's files under locale/ of a skill's resource folder; return the latter."""
    place = folder / "locale" / tag
    place.mkdir(parents=True, exist_ok=True)
    for stale in place.iterdir():
        if stale.name not in texts:
            stale.unlink()
    for name, text in texts.items():
        write_whole(place / name, text.encode())
    return folder


def _all(written: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for lines in written.values():
        yield from lines


def _sentences(template: Template, intents: Intents) -> tuple[str, ...]:
    if is_plain(template.text):
        return (template.text,)
    expression = tree(template.text)
    if count(expression, intents.rules) > _MOST_SENTENCES:
        return ()
    return tuple(filter(_names_once, spread(expression, intents.rules)))


def _names_once(sentence: str) -> bool:
    """Return whether no list occurs twice: OVOS's parsers cannot tell two of a name apart."""
    names = _LIST.findall(sentence)
    return len(names) == len(set(names))


def _filled(sentence: str, intents: Intents) -> str:
    """Return a sentence with the first value of each list."""
    for name, values in intents.lists.items():
        sentence = sentence.replace(f"{{{name}}}", values[0].text)
    return sentence
