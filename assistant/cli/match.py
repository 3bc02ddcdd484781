"""`charley match` and `charley hear`: what a line of text or a recording means, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from assistant.cli import options
from assistant.cli.options import AsJson, StateName
from assistant.errors import AudioFileError

if TYPE_CHECKING:
    from assistant.asr.hypothesis import Hypothesis
    from assistant.asr.vosk_recogniser import SpeechModel
    from assistant.audio.pcm import Samples
    from assistant.dialogue.actions import Listen
    from assistant.nlu.matcher import Match, Matcher, NoMatch
    from assistant.session.factory import Language
    from assistant.settings import Settings

app = typer.Typer()

PAD_SECONDS = 0.5
"""Silence around a recording, so that its first and last words are recognised whole."""
_BLOCK_SECONDS = 0.1


@app.command(epilog="Example: echo 'my left calf is cramping' | charley match --json")
def match(ctx: typer.Context, as_json: AsJson = False, state: StateName = None) -> None:
    """Show what each line of input means."""
    settings, to = options.chosen(ctx), options.listening(state)
    matcher = _matcher(settings)
    context = to.context if to else None
    for line in sys.stdin:
        found = matcher.match(line.removesuffix("\n").removesuffix("\r"), context)
        print(_json(described(found)) if as_json else _row(found), flush=True)


@app.command(epilog="Example: charley hear stop.wav calf.wav --json")
def hear(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", show_default=False)],
    as_json: AsJson = False,
    state: StateName = None,
) -> None:
    """Show what is heard in recordings.

    And what it means. The files may be WAV, FLAC, OGG or MP3.
    """
    settings, to = options.chosen(ctx), options.listening(state)
    listen = _listener(settings, to)
    failed = False
    for path in files:
        try:
            found = {"file": str(path), **listen(path)}
        except AudioFileError as error:
            failed = True
            found = {"file": str(path), "error": str(error)}
        print(_json(found) if as_json else _report(found), flush=True)
    if failed:
        raise typer.Exit(1)


def _matcher(settings: Settings) -> Matcher:
    from assistant.nlu import intents
    from assistant.nlu.matcher import Matcher
    from assistant.paths import intents_folder

    return Matcher(intents.load(intents_folder(settings.language) / "sentences"))


# --- A meaning in words --------------------------------------------------------------------------


def described(found: Match | NoMatch) -> dict[str, Any]:
    """Return a match, or why there is none, as `charley match --json` shows it."""
    return {
        "text": found.text,
        "intent": getattr(found, "intent", None),
        "slots": dict(getattr(found, "slots", {})),
        "score": round(getattr(found, "score", 0.0), 1),
        "margin": round(getattr(found, "margin", 0.0), 1),
        "phrase": getattr(found, "phrase", None),
        "rejected": [
            {
                "intent": other.intent,
                "slots": dict(other.slots),
                "score": round(other.score, 1),
                "phrase": other.phrase,
                "why": other.why,
            }
            for other in found.rejected
        ],
        "reason": getattr(found, "reason", None),
    }


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value)


def _row(found: Match | NoMatch) -> str:
    seen = described(found)
    meaning = " ".join(filter(None, (seen["intent"] or "-", _slots(seen["slots"]))))
    text = _printable(found.text)
    if seen["intent"] is None:
        return f"{meaning:<48}  {'':>11}  {text}  ({seen['reason']})"
    return f"{meaning:<48}  {seen['score']:>5} {seen['margin']:>5}  {text}"


def _slots(slots: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in slots.items())


def _printable(text: str, longest: int = 200) -> str:
    """Return text without control characters, shortened to a readable length."""
    shown = "".join(char if char.isprintable() else " " for char in text[:longest])
    return shown + ("..." if len(text) > longest else "")


# --- Recordings ----------------------------------------------------------------------------------


def _listener(settings: Settings, to: Listen | None) -> Callable[[Path], dict[str, Any]]:
    """Load language and model once; return a function from a file to its description."""
    from assistant.asr.vosk_recogniser import SpeechModel
    from assistant.nlu.templates import SESSION
    from assistant.session import factory, speech_model
    from assistant.session.nbest import likeliest

    language = factory.language(settings)
    model = SpeechModel(speech_model.folder(settings))
    if settings.model is None:  # a named model may be for any language
        speech_model.require_language(model, language.pack, settings.language)
    context = to.context if to else None
    is_idle = context is not None and SESSION not in context

    def understand(text: str) -> Match | NoMatch:
        return language.matcher.match(text, context)

    def listen(path: Path) -> dict[str, Any]:
        seconds, heard = _hypotheses(_recogniser(language, model, to), path)
        found = [likeliest(h, understand, is_idle=is_idle)[1] for h in heard if h.final]
        return {
            "seconds": round(seconds, 3),
            "hypotheses": [_timed(h, seconds) for h in heard],
            **described(_foremost(found, language) or understand(" ".join(m.text for m in found))),
            **({} if found else {"reason": "nothing was heard"}),
        }

    return listen


def _recogniser(language: Language, model: SpeechModel, to: Listen | None) -> Transcriber:
    """Return what listens as `charley run` does in a state; None listens for all phrases."""
    from assistant.session import factory

    if to is None:
        recogniser = factory.microphone_recogniser(language.pack, model)
        recogniser.listen(language.intents.phrases(None))
        return recogniser
    listener = factory.microphone_listener(language, model)
    listener.listen(to)
    return listener


def _foremost(found: Iterable[Match | NoMatch], language: Language) -> Match | None:
    """Return the match that comes first in the language's precedence of intents."""
    from assistant.nlu.matcher import Match

    understood = [one for one in found if isinstance(one, Match)]
    precedence = language.intents.language.precedence
    return min(understood, key=lambda match: precedence.index(match.intent), default=None)


class Transcriber(Protocol):
    """Turns sound into hypotheses: a plain recogniser, or one for a state."""

    def feed(self, block: Samples, /) -> list[Hypothesis]:
        """Return the hypotheses that a block of 16 kHz sound completes or changes."""

    def finish(self) -> list[Hypothesis]:
        """End the utterance and return what was heard of it."""


def _hypotheses(listener: Transcriber, path: Path) -> tuple[float, list[Hypothesis]]:
    """Return a recording's length in seconds and its hypotheses."""
    from assistant.asr.hypothesis import RATE
    from assistant.audio import audio_file
    from assistant.audio.pcm import blocks, concatenate, silence
    from assistant.audio.shaping import resample

    sound = resample(audio_file.read(path), RATE)
    pad = silence(round(PAD_SECONDS * RATE), RATE)
    heard: list[Hypothesis] = []
    for block in blocks(concatenate([pad, sound, pad]), round(_BLOCK_SECONDS * RATE)):
        heard += listener.feed(block.samples)
    return sound.seconds, heard + listener.finish()


def _timed(heard: Hypothesis, seconds: float) -> dict[str, Any]:
    """Return a hypothesis with its times in the recording; a partial one has no start yet."""

    def placed(at: float) -> float:
        return round(min(max(0.0, at - PAD_SECONDS), seconds), 3)

    return {
        "text": heard.text,
        "start": placed(heard.words[0].start_seconds) if heard.words else None,
        "end": placed(heard.words[-1].end_seconds if heard.words else heard.at_seconds),
        "final": heard.final,
    }


def _report(found: Mapping[str, Any]) -> str:
    if "error" in found:
        return str(found["error"])
    return "\n".join(_report_lines(found))


def _report_lines(found: Mapping[str, Any]) -> Iterator[str]:
    meaning = found["intent"] or f"nothing ({found['reason']})"
    yield f"{found['file']}  {found['seconds']:.1f} s  {meaning} {_slots(found['slots'])}".rstrip()
    for heard in found["hypotheses"]:
        if heard["final"]:
            yield f"  {heard['start'] or 0.0:6.2f} to {heard['end']:6.2f} s  {heard['text']}"
