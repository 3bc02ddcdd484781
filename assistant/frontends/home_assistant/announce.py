"""Steps that are due by themselves, pushed to a satellite through Home Assistant's REST API.

A turn of Home Assistant's pipeline has one reply. What Charley says later by itself (the next step
after a while, "how is it?" minutes later) goes out by the action `assist_satellite.announce`, and a
question by `assist_satellite.start_conversation`, which opens the microphone, on satellites that
have it: https://www.home-assistant.io/integrations/assist_satellite, over
https://developers.home-assistant.io/docs/api/rest.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from urllib.parse import quote, urlparse

import requests
from urllib3.exceptions import HTTPError

from assistant.clock import SystemClock
from assistant.errors import NetworkError
from assistant.session.text_turns import Reply, Turns

_ANNOUNCE = "/api/services/assist_satellite/announce"
_ASK = "/api/services/assist_satellite/start_conversation"
_STATE = "/api/states/"
_START_CONVERSATION = 2
"""The bit of `supported_features`: AssistSatelliteEntityFeature.START_CONVERSATION of core."""
_TIMEOUT_SECONDS = (5.0, 120.0)
"""To connect, and between two pieces of the answer, which begins when the words were spoken."""
_CALL_SECONDS = 150.0
"""The whole call; an answer that drips is not waited for."""
_MOST_BYTES = 65_536
"""Of an answer; nothing longer is read."""
_FASTEST_WORDS_PER_SECOND = 8.0
"""Faster than any voice: an answer sooner than this means that nothing was spoken."""
_RETRY_SECONDS = (3.0, 10.0, 30.0, *[60.0] * 12)
"""Pauses before a refused announcement is tried again; the conversation is over after them.

A busy satellite is free after some seconds, one that restarts after a minute.
"""
_TRIES_TO_ASK = 2
"""After so many failures a question is announced: some agents cannot start a conversation."""
_FINAL = frozenset({400, 401, 403, 404})
"""No second try changes these; Home Assistant may lock out an address after wrong tokens."""
_WORDS_PER_SECOND = 2.5
_LEAD_SECONDS = 1.5
"""From a reply to the first of its words."""
_LONGEST_WAIT_SECONDS = 3_600.0


class RefusalError(NetworkError):
    """Home Assistant will never take this announcement: a wrong token or no such satellite."""


@dataclass(frozen=True, slots=True)
class HomeAssistant:
    """A Home Assistant and a long-lived access token for it."""

    url: str
    """As in a browser, such as http://homeassistant.local:8123."""
    token: str

    def __post_init__(self) -> None:
        """Refuse what cannot be one. NetworkError."""
        parts = urlparse(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NetworkError(
                f'"{self.url[:60]}" is no address; write it as http://homeassistant.local:8123.'
            )
        if not self.token or not self.token.isprintable() or " " in self.token:
            raise NetworkError("The access token of Home Assistant is empty or not one word.")

    def say(self, entity: str, text: str) -> None:
        """Speak a text on a satellite, and listen after a question if the satellite can.

        Return when it was spoken. Raises NetworkError.
        """
        if "?" in text and self.can_ask(entity):
            self._speak(_ASK, entity, {"start_message": text}, text)
        else:
            self.announce(entity, text)

    def announce(self, entity: str, text: str) -> None:
        """Announce a text on a satellite; return when it was spoken. Raises NetworkError."""
        self._speak(_ANNOUNCE, entity, {"message": text}, text)

    def can_ask(self, entity: str) -> bool:
        """Return whether a satellite can open its microphone after a question; False if unknown."""
        try:
            status, body = self._call("GET", _STATE + quote(entity, safe=""))
            features = json.loads(body)["attributes"]["supported_features"]
        except (NetworkError, ValueError, TypeError, KeyError, RecursionError):
            return False
        known = status == requests.codes.ok and isinstance(features, int)
        return known and bool(features & _START_CONVERSATION)

    def _speak(self, path: str, entity: str, words: dict[str, str], text: str) -> None:
        clock = SystemClock()
        began = clock.now()
        body: dict[str, str | bool] = {"entity_id": entity, **words, "preannounce": False}
        status, _ = self._call("POST", path, body)
        if status in _FINAL:
            raise RefusalError(f"Home Assistant refused an announcement ({status}).")
        if status != requests.codes.ok:
            raise NetworkError(f"Home Assistant refused an announcement ({status}).")
        if clock.now() - began < len(text.split()) / _FASTEST_WORDS_PER_SECOND:
            raise NetworkError(
                "Home Assistant answered before an announcement could have been spoken."
            )

    def _call(
        self, method: str, path: str, body: Mapping[str, str | bool] | None = None
    ) -> tuple[int, bytes]:
        """Return the status and the beginning of the answer. Raises NetworkError."""
        try:
            answer = requests.request(
                method,
                self.url.rstrip("/") + path,
                json=body,
                headers={"Authorization": f"Bearer {self.token}"},
                timeout=_TIMEOUT_SECONDS,
                allow_redirects=False,
                stream=True,
            )
            with answer:
                return answer.status_code, answer.raw.read(_MOST_BYTES, decode_content=True)
        except (requests.RequestException, HTTPError) as error:
            raise NetworkError(f"Home Assistant cannot be reached ({_reason(error)}).") from None


def _reason(error: Exception) -> str:
    # Not the error's own text: it may hold the address with all that is in it.
    return type(error).__name__


class Announcer:
    """Goes on with conversations whose next step is due, each at its time."""

    def __init__(self, home: HomeAssistant, turns: Turns, tell: Callable[[str], None]) -> None:
        """`tell` gets a sentence when an announcement failed."""
        self._home = home
        self._turns = turns
        self._tell = tell
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def follow(self, key: str, entity: object, reply: Reply) -> None:
        """Push what follows a reply, if it went to a satellite and something follows."""
        self.interrupt(key)
        if isinstance(entity, str) and entity:
            task = asyncio.create_task(self._push(key, entity, reply))
            self._tasks[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))

    def interrupt(self, key: str) -> None:
        """Forget the plan: somebody spoke."""
        if (task := self._tasks.pop(key, None)) is not None:
            task.cancel()

    def close(self) -> None:
        """Push nothing more."""
        for key in list(self._tasks):
            self.interrupt(key)

    def _forget(self, key: str, done: asyncio.Task[None]) -> None:
        if self._tasks.get(key) is done:
            del self._tasks[key]

    async def _push(self, key: str, entity: str, reply: Reply) -> None:
        await asyncio.sleep(spoken_seconds(reply.text) + _LEAD_SECONDS)
        while reply.next_seconds is not None and reply.next_seconds < _LONGEST_WAIT_SECONDS:
            await asyncio.sleep(reply.next_seconds)
            reply = await asyncio.to_thread(self._turns.go_on, key)
            if reply.text and not await self._say(entity, reply.text):
                return

    async def _say(self, entity: str, text: str) -> bool:
        """Speak a text, again after a pause if that fails; return whether it was spoken."""
        told = ""
        for tried, pause in enumerate((*_RETRY_SECONDS, 0.0)):
            say = self._home.say if tried < _TRIES_TO_ASK else self._home.announce
            try:
                await _in_a_thread(say, entity, text)
            except NetworkError as error:
                if str(error) != told:
                    told = str(error)
                    self._tell(told)
                if isinstance(error, RefusalError):
                    return False
                await asyncio.sleep(pause)
            else:
                return True
        self._tell(f"{entity}: no announcement was heard; Charley waits until somebody speaks.")
        return False


async def _in_a_thread(job: Callable[[str, str], None], *arguments: str) -> None:
    """Do a job on a thread that nobody waits for, not even the end of the process.

    Raises NetworkError if it takes longer than a call may.
    """
    done: Future[None] = Future()
    done.set_running_or_notify_cancel()

    def work() -> None:
        try:
            job(*arguments)
        except BaseException as error:  # noqa: BLE001  # it is raised where somebody waits
            done.set_exception(error)
        else:
            done.set_result(None)

    threading.Thread(target=work, name="announce", daemon=True).start()
    try:
        async with asyncio.timeout(_CALL_SECONDS):
            await asyncio.wrap_future(done)
    except TimeoutError:
        raise NetworkError("Home Assistant did not finish its answer.") from None


def spoken_seconds(text: str) -> float:
    """Return about how long a text takes to be spoken."""
    return len(text.split()) / _WORDS_PER_SECOND
