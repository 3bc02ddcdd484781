"""The real wyoming-satellite, in a kitchen made of software: spoken into, listened to, silenced."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assistant.audio.pcm import DEFAULT_RATE, Pcm, silence
from assistant.content import language_pack
from assistant.frontends.demo import RUNNER_WORDS_PER_MINUTE
from assistant.paths import intents_folder
from assistant.playback.count_track import count_word
from assistant.session import voices
from assistant.settings import Settings
from assistant.tts.cache import CachedVoice
from assistant.tts.pyttsx3_voice import Pyttsx3Voice
from tests.support import pulse
from tests.support.listening import await_line, counts, place
from tests.support.network import free_port, satellite, serving
from tests.support.stage import PACK

pytestmark = [pytest.mark.model, pytest.mark.sound, pytest.mark.slow]
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
SAFETY = "I'm a coach, not a doctor. At chest pain, a pop, or feeling faint, get help."
OPENING = "Stop running. Move to the side if you can."
RELEASE = "Slowly let your toes drop to the ground. Now stand up tall."
ENDING = "Okay. I'm here if you need me."
VOICES = language_pack.load(intents_folder()).voices


def test_a_cramp_in_the_kitchen_is_heard_coached_counted_and_stopped(
    card: pulse.SoundCard, tmp_path: Path
) -> None:
    charley = voices.voice(PACK, Settings(), lambda _sentence: None)
    somebody = CachedVoice(Pyttsx3Voice(VOICES.runner, RUNNER_WORDS_PER_MINUTE), None)
    words = [Pcm(count_word(n, charley, DEFAULT_RATE, DEFAULT_RATE), DEFAULT_RATE) for n in NUMBERS]

    def says(text: str) -> None:
        spoken = somebody.render(text)
        quiet = silence(spoken.rate, spoken.rate).samples
        card.play(Pcm(np.concatenate([spoken.samples, quiet]), spoken.rate)).wait()

    def spoken(text: str) -> None:
        await_line(card, charley.render(text))

    port = free_port()
    env = {**card.env, "XDG_STATE_HOME": str(tmp_path)}
    flags = ("--satellite", f"tcp://127.0.0.1:{port}", "--uri", "tcp://127.0.0.1:0", "--health", "")
    with (
        satellite(card.env, port),
        card.recording() as recorded,
        serving(*flags, "--lead", "0.3", env=env) as server,
    ):
        server.awaits(f"{port}: connected")
        spoken(SAFETY)  # the welcome of a first session
        says("my left calf is cramping")
        spoken(OPENING)
        says("skip to the hold")
        spoken(RELEASE)
        says("stop")
        spoken(ENDING)
        assert server.stop() == 0
    found = counts(recorded[0], words)
    # From each count to the next: aplay that runs dry on a busy machine moves all the rest, once.
    assert np.sort(abs(np.diff(found) - 1))[-2] < 0.030
    opening = charley.render(OPENING)
    ending = charley.render(ENDING)
    assert place(recorded[0], opening, 0.0, found[0]) < found[0]
    assert place(recorded[0], ending, found[-1], recorded[0].seconds - ending.seconds)
