"""Modules lie in layers; the core knows no device, thread or clock.

A module imports from its own layer and those below, and never in a ring.
"""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "assistant"

LAYERS: tuple[frozenset[str], ...] = (
    # 0: what can go wrong
    frozenset({"errors"}),
    # 1: what is said and done, and files
    frozenset({"actions", "events", "files", "heap", "hold", "sheet", "text"}),
    # 2: the data of intents/
    frozenset(
        {
            "book",
            "datafile",
            "expressions",
            "homophones",
            "intents",
            "network",
            "prompts",
            "red_flags",
            "routines",
            "wording",
            "sampling",
            "sentence_files",
            "sentences",
            "weaving",
        }
    ),
    # 3: the conversation
    frozenset(
        {
            "buttons",
            "chart",
            "controls",
            "cover",
            "dialogue",
            "changing",
            "easing",
            "faults",
            "holding",
            "opening",
            "place",
            "rounds",
            "steps",
            "transitions",
            "habits",
            "likeness",
            "matching",
            "meanings",
            "reading",
            "safety",
            "scripted_user",
            "slips",
            "turn",
            "vetoes",
            "warning",
        }
    ),
    # 4: what the user chose, and where things are
    frozenset({"resources", "settings"}),
    # 5: sound, speech, the network and time
    frozenset(
        {
            "archives",
            "chimes",
            "clips",
            "clock",
            "counting",
            "devices",
            "downloads",
            "foreground",
            "echo",
            "fst",
            "graphs",
            "keys",
            "lexicon",
            "loudness",
            "media_buttons",
            "model_building",
            "model_files",
            "music",
            "pcm",
            "phones",
            "player",
            "push_to_talk",
            "recogniser",
            "spelling",
            "spare_voice",
            "synthesiser",
            "vocabulary",
            "voice_engine",
            "voice_gate",
        }
    ),
    # 6: one conversation, running
    frozenset(
        {
            "assembly",
            "captions",
            "choice",
            "conversation",
            "custom_sentences",
            "journal",
            "keyboard",
            "packs",
            "picture",
            "rendering",
            "replay",
            "report",
            "sentence_cache",
            "session",
            "watchdog",
        }
    ),
    # 7: adapters to other programs; nothing but a command knows them
    frozenset(
        {
            "ovos.locale",
            "ovos.skill",
            "ovos.voice",
            "wyoming.announcing",
            "wyoming.description",
            "wyoming.discovery",
            "wyoming.framing",
            "wyoming.health",
            "wyoming.household",
            "wyoming.link",
            "wyoming.measures",
            "wyoming.microphone",
            "wyoming.pacing",
            "wyoming.satellites",
            "wyoming.server",
            "wyoming.services",
            "wyoming.serving",
            "wyoming.speaking",
            "wyoming.talk",
            "wyoming.transcribing",
            "wyoming.turns",
        }
    ),
    # 8: commands
    frozenset(
        {
            "__main__",
            "cli",
            "command_export",
            "command_flags",
            "command_journal",
            "command_models",
            "command_piped",
            "command_serve",
            "command_sound",
            "command_talk",
            "command_terminal",
            "command_transcript",
            "command_understand",
            "demo",
            "doctor",
            "leaving",
            "live",
        }
    ),
)

PURE_LAYERS = 4
"""Layers 0 to 3 are pure: no device, thread, clock or sleep."""

IMPURE = frozenset(
    {
        "asyncio",
        "multiprocessing",
        "numpy",
        "os",
        "platformdirs",
        "pyttsx3",
        "queue",
        "random",
        "requests",
        "signal",
        "socket",
        "sounddevice",
        "soundfile",
        "soxr",
        "subprocess",
        "threading",
        "time",
        "vosk",
        "webrtcvad",
    }
)

WRAPPED = {
    "ovos_workshop": {"ovos.skill"},
    "dbus_fast": {"media_buttons"},
    "pyttsx3": {"voice_engine"},
    "rapidfuzz": {"likeness"},
    "pulsectl": {"music"},
    "prometheus_client": {"wyoming.health", "wyoming.measures"},
    "requests": {"downloads", "wyoming.announcing"},
    "sounddevice": {"devices"},
    "time": {"clock", "downloads"},  # a download waits before it tries again
    "vosk": {"recogniser"},
    "zeroconf": {"wyoming.discovery"},
}
"""A library that is wrapped once, and the module that does it."""

ADAPTERS = {"ovos", "wyoming"}
"""Folders of modules for one protocol each."""

MODULES = sorted(
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    for path in (*PACKAGE.glob("*.py"), *(p for a in ADAPTERS for p in PACKAGE.glob(f"{a}/*.py")))
    if path.stem != "__init__"
)

CORE = sorted(frozenset().union(*LAYERS[:PURE_LAYERS]) & set(MODULES))


def layer(module: str) -> int:
    found = [number for number, names in enumerate(LAYERS) if module in names]
    assert found, (
        f"{module} is in no layer: write it into LAYERS in tests/test_layers.py, "
        "above all that it imports and below all that imports it"
    )
    assert len(found) == 1, f"{module} is in the layers {found}"
    return found[0]


def imported(module: str) -> set[str]:
    """Return the full names that a module imports anywhere in it."""
    names: set[str] = set()
    path = PACKAGE.joinpath(*module.split(".")).with_suffix(".py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively; write `from assistant.x import`"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def own_imports(module: str) -> set[str]:
    """Return the modules of this package that a module imports."""
    names = {n.removeprefix("assistant.") for n in imported(module) if n.startswith("assistant.")}
    return {known for known in MODULES if any(f"{name}.".startswith(f"{known}.") for name in names)}


def other_imports(module: str) -> set[str]:
    """Return the top-level packages from outside that a module imports."""
    return {name.split(".")[0] for name in imported(module)} - {"assistant"}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_downwards(module: str) -> None:
    own = layer(module)
    upwards = {name for name in own_imports(module) if layer(name) > own}
    assert not upwards, f"{module} (layer {own}) imports {upwards} from above"


def test_no_modules_import_each_other() -> None:
    imports = {module: own_imports(module) for module in MODULES}
    while imports:
        free = {module for module, needed in imports.items() if not needed & imports.keys()}
        assert free, f"these import each other in a ring: {sorted(imports)}"
        imports = {module: needed for module, needed in imports.items() if module not in free}


@pytest.mark.parametrize("module", CORE)
def test_the_core_is_pure(module: str) -> None:
    assert not other_imports(module) & IMPURE


@pytest.mark.parametrize("library", WRAPPED)
def test_a_library_is_wrapped_once(library: str) -> None:
    users = {module for module in MODULES if library in other_imports(module)}
    assert users <= WRAPPED[library]


def test_folders_are_flat_but_for_data() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    assert folders <= {"__pycache__", *ADAPTERS}
