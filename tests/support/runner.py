"""A runner with a voice, who speaks into the microphone."""

import numpy as np

from assistant.audio.pcm import Pcm, silence
from assistant.content import language_pack
from assistant.frontends.demo import RUNNER_WORDS_PER_MINUTE
from assistant.paths import intents_folder
from assistant.tts.cache import CachedVoice
from assistant.tts.pyttsx3_voice import Pyttsx3Voice
from tests.support import pulse


def says(card: pulse.SoundCard, text: str) -> None:
    """Speak into the microphone."""
    card.play(utterance(text)).wait(60)


def utterance(text: str) -> Pcm:
    """Return what a runner says, with a second of silence before and after."""
    names = language_pack.load(intents_folder()).voices
    spoken = CachedVoice(Pyttsx3Voice(names.runner, RUNNER_WORDS_PER_MINUTE), None).render(text)
    quiet = silence(spoken.rate, spoken.rate).samples
    return Pcm(np.concatenate([quiet, spoken.samples, quiet]), spoken.rate)
