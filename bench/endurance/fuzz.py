"""Send hostile messages to the real server.

    python -m bench.endurance.fuzz [--messages 100000]

Starts `charley serve` on loopback. One good satellite holds a spoken conversation through the whole
run while others send what a network can: noise, lies about lengths, wrong types, deep JSON, halves
of messages, valid messages in the wrong order. In the end the good one must have lost nothing:
every utterance understood, every sample of speech received, none late.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import multiprocessing.process
import random
import re
import sys
import time
import urllib.request
from dataclasses import dataclass, field

from wyoming.client import AsyncTcpClient
from wyoming.info import Describe, Info

from assistant.asr.hypothesis import RATE
from assistant.audio.shaping import resample
from assistant.tts.pyttsx3_voice import Pyttsx3Voice
from bench.processes import resident_mb
from tests.support.fuzzing import message
from tests.support.network import Caller, free_port, serving

REFUSED = ("message", "slow")
"""Reasons for which a message is not counted as received."""
UNDERSTOOD = 'charley_utterances_total{by="sound",result="understood"}'
SAID = ("my left calf is cramping", "skip to the hold", "pause", "carry on", "stop")
EVERY_SECONDS = 8.0
LONGEST_SECONDS = 1_800.0

# --- The hostile ---------------------------------------------------------------------------------


async def attack(port: int, chance: random.Random, over: asyncio.Event) -> None:
    """Send messages over one connection after another, until `over` is set."""
    while not over.is_set():
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        drain = asyncio.create_task(swallow(reader))
        try:
            for _ in range(chance.randrange(1, 40)):
                if over.is_set() or writer.is_closing() or drain.done():
                    break
                writer.write(message(chance))
                async with asyncio.timeout(5):
                    await writer.drain()
                await asyncio.sleep(0)
            # Sometimes keep the connection until the server answers or closes it.
            await asyncio.wait([drain], timeout=chance.choice((0.0, 0.0, 0.0, 0.0, 0.0, 0.05)))
        except (OSError, TimeoutError):
            pass
        finally:
            drain.cancel()
            writer.close()


async def enough(health: int, messages: int, over: asyncio.Event) -> None:
    """Set `over` once the server has received that many messages, broken ones included."""
    while True:
        found = await asyncio.to_thread(metrics, health)
        if received(found) >= messages:
            over.set()
            return
        await asyncio.sleep(0.5)


def received(found: dict[str, float]) -> float:
    """Return how many messages arrived, refused ones included; few are the good satellite's."""
    refused = sum(rejected(found, reason) for reason in REFUSED)
    return found["charley_messages_total"] + refused


async def swallow(reader: asyncio.StreamReader) -> None:
    """Read and discard all that arrives."""
    try:
        while await reader.read(65_536):
            pass
    except OSError:
        pass


async def dawdle(port: int, count: int, until: asyncio.Event) -> None:
    """Hold connections open by sending a byte every second."""
    writers = [(await asyncio.open_connection("127.0.0.1", port))[1] for _ in range(count)]
    while not until.is_set():
        for writer in writers:
            if not writer.is_closing():
                writer.write(b" ")
        await asyncio.sleep(1.0)
    for writer in writers:
        writer.close()


# --- The good one --------------------------------------------------------------------------------


@dataclass
class Good:
    """The satellite that talks while the others attack."""

    voice: Pyttsx3Voice = field(default_factory=lambda: Pyttsx3Voice("en-us+m3", 150))
    said: int = 0
    caller: Caller | None = None

    async def converse(self, port: int, done: asyncio.Event) -> None:
        """Talk until everything is done."""
        async with Caller(port) as self.caller:
            while self.caller.is_connected and not (done.is_set() and self.said % len(SAID) == 0):
                await asyncio.sleep(EVERY_SECONDS)
                text = SAID[self.said % len(SAID)]
                await self.caller.says(resample(self.voice.render(text), RATE).samples)
                self.said += 1
            await asyncio.sleep(2.0)


def metrics(port: int) -> dict[str, float]:
    """Return the server's numbers by name and labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
        text = page.read().decode()
    rows = re.findall(r"^(charley_\S+) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in rows}


def attack_from_outside(port: int, health: int, messages: int, attackers: int, seed: int) -> None:
    """Attack from a separate process, so that only the server can delay the good one."""

    async def all_at_once() -> None:
        over = asyncio.Event()
        chances = [random.Random(f"{seed} {n}") for n in range(attackers)]
        attacks = (attack(port, chance, over) for chance in chances)
        slow = asyncio.create_task(dawdle(port, 8, over))
        await asyncio.gather(enough(health, messages, over), *attacks, slow)

    asyncio.run(all_at_once())


async def run(port: int, attacker: multiprocessing.process.BaseProcess) -> Good:
    """Let the good one talk while the others attack."""
    good, done = Good(), asyncio.Event()
    talking = asyncio.create_task(good.converse(port, done))
    await asyncio.sleep(4.0)
    attacker.start()
    await asyncio.to_thread(attacker.join, LONGEST_SECONDS)
    done.set()
    await talking
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Describe().event())
        event = await client.read_event()
        if event is None or not Info.is_type(event.type):
            raise SystemExit("The server no longer answers.")
    return good


def main() -> int:
    """Attack, measure and print; exit code 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--attackers", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    health = free_port()
    flags = ("--uri", "tcp://127.0.0.1:0", "--health", f"tcp://127.0.0.1:{health}")
    with serving(*flags) as server:
        port = server.port()
        before, began = resident_mb(server.process.pid), time.monotonic()
        what = (port, health, wanted.messages, wanted.attackers, wanted.seed)
        attacker = multiprocessing.get_context("spawn").Process(
            target=attack_from_outside, args=what, daemon=True
        )
        good = asyncio.run(run(port, attacker))
        seconds, after = time.monotonic() - began, resident_mb(server.process.pid)
        found = metrics(health)
        if server.stop():
            raise SystemExit("The server did not exit cleanly.")
    print(f"{received(found):.0f} messages in {seconds:.0f} s, seed {wanted.seed}")
    print(f"  memory                         {before:6.0f} MB before, {after:.0f} MB after")
    was_lost = report(good, found)
    print("something was lost" if was_lost else "nothing was lost")
    return int(was_lost)


def report(good: Good, found: dict[str, float]) -> bool:
    """Print what was refused and what the good satellite got; return whether anything was lost."""
    caller = good.caller
    if caller is None:
        raise SystemExit("The good satellite never connected.")
    for reason in ("message", "slow", "connections", "sessions", "fault"):
        print(f"  refused, {reason:12} {rejected(found, reason):9.0f}")
    understood = found.get(UNDERSTOOD, 0.0)
    late = sorted(1000 * seconds for seconds in caller.late_seconds)
    dropped = found["charley_dropped_audio_seconds_total"]
    print(f"  utterances of the good one     {good.said:6}, understood in all {understood:.0f}")
    print(f"  chunks of speech it got        {len(late):6}, misplaced {caller.misplaced}")
    print(f"  their lateness, ms: median {late[len(late) // 2]:.0f}, worst {late[-1]:.0f}")
    print(f"  microphone sound dropped       {dropped:6.1f} s (what came faster than time passes)")
    return bool(caller.misplaced or rejected(found, "fault") or understood < good.said)


def rejected(found: dict[str, float], reason: str) -> float:
    """Return how many messages or connections were refused for a reason."""
    return found.get(f'charley_rejected_total{{reason="{reason}"}}', 0.0)


if __name__ == "__main__":
    sys.exit(main())
