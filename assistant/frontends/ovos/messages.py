"""What OVOS's messages and settings say, in Charley's terms."""

from __future__ import annotations

from langcodes import standardize_tag
from ovos_bus_client.message import Message
from ovos_bus_client.session import SessionManager
from ovos_config.locale import get_valid_languages

from assistant.paths import languages


def session_id(message: Message) -> str:
    """Return the key of the device, or the person, that a message comes from."""
    return str(SessionManager.get(message).session_id)


def utterances(message: Message) -> list[str]:
    """Return the hypotheses of what was said, the likeliest first."""
    return message.data.get("utterances") or [message.data.get("utterance", "")]


def spoken_tags() -> list[str]:
    """Return the language tags that OVOS is set to and that Charley speaks."""
    tags = sorted(map(standardize_tag, get_valid_languages()))
    return [tag for tag in tags if language_code(tag) is not None]


def language_code(tag: str) -> str | None:
    """Return Charley's code for a tag such as "en-US"; None if it does not speak it."""
    whole, short = tag.replace("-", "_"), tag.split("-", maxsplit=1)[0]
    return next((code for code in (whole, short) if code in languages()), None)
