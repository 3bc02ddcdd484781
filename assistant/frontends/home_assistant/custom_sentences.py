"""The sentence files as Home Assistant's custom sentences, with the script that answers them.

Home Assistant recognises what begins a conversation and asks Charley's conversation agent with a
plain sentence of the same meaning, for it keeps the words themselves from the scripts. Everything
else goes to the agent word for word behind Charley's name: Home Assistant has sentences of its own
for "next" and "stop", and knows nothing of where Charley is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from assistant.atomic_file import write_whole
from assistant.nlu.expressions import count, is_plain, simplest, spread, texts, tree
from assistant.nlu.intents import Intents
from assistant.nlu.matcher import Match, Matcher
from assistant.nlu.template_files import TemplateFiles, read_folder
from assistant.nlu.templates import Template

AGENT = "conversation.charley"
"""The entity that Home Assistant makes of Charley's Wyoming service."""
_OURS = "charley_"
"""Before the name of each list and rule: Home Assistant joins all files and has an <in> itself."""
_SAID = "said"
"""The slot that holds the plain sentence, with a place for each list."""
_WORDS = "words"
"""The list that is whatever is said behind Charley's name."""
_BY_NAME = {
    "sentences": [f"(charley|charlie) {{{_OURS}{_WORDS}:{_WORDS}}}"],
    "slots": {_SAID: f"{{{_WORDS}}}"},
}
_MOST_TRIED = 1_000
"""Sentences of a template among which a plain one is looked for, if the shortest is none."""
_MENTIONED = re.compile(r"[{<](\w+)[}>]")


def export(folder: Path, intents: Intents, out: Path, agent: str = AGENT) -> list[Path]:
    """Write the files that belong into Home Assistant's configuration folder; return their paths.

    `folder` is a language's sentences, from which `intents` were loaded. Raises OSError.
    """
    language = folder.parent.name
    custom = sentences(language, intents, read_folder(folder))
    package = {"intent_script": dict.fromkeys(custom["intents"], _script(intents, language, agent))}
    written = {
        out / "custom_sentences" / language / "charley.yaml": custom,
        out / "packages" / "charley.yaml": package,
    }
    for path, content in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=100)
        write_whole(path, f"# Written by `charley export home-assistant`.\n{text}".encode())
    return list(written)


def sentences(language: str, intents: Intents, files: TemplateFiles) -> dict[str, Any]:
    """Return a custom sentence file: intents, the strongest first, and their lists and rules."""
    matcher = Matcher(intents)
    found: dict[str, list[dict[str, Any]]] = {}
    for template in intents.openings():
        if said := _plain(template, intents, matcher):
            block = {"sentences": [_renamed(template.text)], "slots": {_SAID: said}}
            found.setdefault(template.block.intent, []).append(block)
    ranked = [intent for intent in intents.language.precedence if intent in found]
    used = _used((template.text for template in intents.openings()), files)
    lists = {name: {"values": list(_values(name, files, intents))} for name in files.lists}
    rules = {name: _renamed(node.text()) for name, node in files.rules.items()}
    return {
        "language": language,
        "intents": {intent_name(name): {"data": found[name]} for name in ranked}
        | {intent_name("by_name"): {"data": [_BY_NAME]}},
        "lists": {f"{_OURS}{name}": values for name, values in lists.items() if name in used}
        | {f"{_OURS}{_WORDS}": {"wildcard": True}},
        "expansion_rules": {f"{_OURS}{name}": text for name, text in rules.items() if name in used},
    }


def _used(texts: Iterator[str], files: TemplateFiles) -> set[str]:
    """Return the lists and rules that texts mention, or rules that they mention."""
    used: set[str] = set()
    fresh = {name for text in texts for name in _MENTIONED.findall(text)}
    while fresh:
        used |= fresh
        inside = (files.rules[name].text() for name in fresh if name in files.rules)
        fresh = {name for text in inside for name in _MENTIONED.findall(text)} - used
    return used


def intent_name(name: str) -> str:
    """Return what an intent is called in Home Assistant."""
    return "Charley" + name.title().replace("_", "")


def _renamed(text: str) -> str:
    """Put our mark before every list and rule; a list still fills the slot of its old name."""
    text = re.sub(r"\{(\w+)\}", rf"{{{_OURS}\1:\1}}", text)
    return re.sub(r"<(\w+)>", rf"<{_OURS}\1>", text)


def _values(name: str, files: TemplateFiles, intents: Intents) -> Iterator[dict[str, str]]:
    """Yield the values of a list, each with its plainest words as what the slot will hold."""
    for row in files.lists[name]:
        text = row.node.text()
        yield {"in": _renamed(text), "out": next(iter(texts(text, row.node, intents.rules)))}


def _plain(template: Template, intents: Intents, matcher: Matcher) -> str:
    """Return a sentence with {lists} that Charley understands as this template; empty for none."""
    if is_plain(template.text):
        return template.text
    expression, rules, block = tree(template.text), intents.rules, template.block
    tried = [simplest(expression, rules)]
    if count(expression, rules) <= _MOST_TRIED:
        tried += spread(expression, rules)
    for text in tried:
        found = matcher.match(_filled(text, intents), block.requires)
        if (
            isinstance(found, Match)
            and found.intent == block.intent
            and block.slots.items() <= found.slots.items()
        ):
            return text
    return ""


def _filled(text: str, intents: Intents) -> str:
    for name, values in intents.lists.items():
        text = text.replace(f"{{{name}}}", values[0].text)
    return text


def _script(intents: Intents, language: str, agent: str) -> Mapping[str, Any]:
    """Return what answers every intent: ask Charley's agent, and speak its reply."""
    text = _SAID
    for name in (*intents.lists, _WORDS):
        text += f" | replace('{{{name}}}', {name} | default(''))"
    ask = {
        "action": "conversation.process",
        "data": {
            "agent_id": agent,
            "conversation_id": "charley {{ preferred_area_id | default('home') }}",
            "language": language,
            "text": f"{{{{ {text} }}}}",
        },
        "response_variable": "answer",
    }
    return {
        "action": [ask, {"stop": "Charley has answered.", "response_variable": "answer"}],
        "speech": {"text": "{{ action_response.response.speech.plain.speech }}"},
    }
