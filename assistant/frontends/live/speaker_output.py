"""The speaker with its timeline and voice; captions where there is no speaker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

from assistant.audio.devices import output_rate
from assistant.audio.ducking import SOON_SECONDS
from assistant.audio.pcm import DEFAULT_RATE, Samples
from assistant.audio.speaker import Speaker
from assistant.dialogue.actions import Interject, SetVolume
from assistant.errors import DeviceError, SynthesiserError
from assistant.playback.captions import Caption, CaptionTimeline
from assistant.playback.outputs import Output
from assistant.playback.speech import INTERJECT_PACES
from assistant.playback.timeline import Timeline
from assistant.playback.timeline_output import TimelineOutput
from assistant.session import voices
from assistant.session.factory import Language
from assistant.session.hooks import Show, Tell
from assistant.settings import Settings
from assistant.tts.fallback import FallbackVoice
from assistant.tts.synthesiser import Synthesiser

_UNHEARD_SECONDS = 5.0
"""How long the timeline waits for a lost speaker; then it goes on in captions."""
_FAULTS = ("device.", "fault.", "leave.")
"""The groups of prompts that are about faults."""
_BETWEEN_COUNTS = ("device.deaf", "device.hears", "fault.stuck", "fault.free")
"""Those that may be squeezed into a hold."""


class SpeakerOutput:
    """The speaker with its timeline, or captions if there is none."""

    name = "speaker"

    def __init__(
        self,
        settings: Settings,
        language: Language,
        opened: ExitStack,
        on_lost: Tell,
        *,
        show: Show,
        tell: Tell,
    ) -> None:
        self._settings = settings
        self._prompts = language.pack.prompts
        self._opened = opened
        self._on_lost = on_lost
        self._show = show
        self._timeline: Timeline | None = None
        self._speaker: Speaker | None = None
        self._voice: FallbackVoice | None = None
        self._unheard_since: float | None = None
        """Since when nobody hears the timeline; its time then passes by the clock."""
        self._unheard_samples = 0
        try:
            rate = output_rate(settings.speaker)
            voice = self._with_fallback(voices.voice(language.pack, settings, tell))
            named = voices.by_name(language.pack, settings, tell)
            self._timeline = Timeline(
                voice, rate, settings.lead_in_seconds, lambda name: self._with_fallback(named(name))
            )
            self.open()
        except (DeviceError, SynthesiserError) as error:
            tell(f"{error} Charley shows captions instead.")
            self._timeline = None
        self.output = self._output()

    def _with_fallback(self, voice: Synthesiser) -> Synthesiser:
        notice = self._prompts.line("fault.voice").text
        self._voice = FallbackVoice(voice, notice, lambda: self._on_lost("voice"))
        return self._voice

    def _output(self) -> Output:
        if self._timeline is None:
            return CaptionTimeline(self._show)
        self._timeline.perform(SetVolume(self._settings.volume))
        return TimelineOutput(self._timeline)

    def prepare(self) -> Iterator[None]:
        """Render in advance what must be said when the voice no longer works.

        It yields after every line.
        """
        if self._voice is None:
            return
        for key in (key for key in self._prompts.lines if key.startswith(_FAULTS)):
            paces = INTERJECT_PACES if key in _BETWEEN_COUNTS else INTERJECT_PACES[:1]
            self._voice.prepare([self._prompts.line(key).text], paces)
            yield
        for number in self._prompts.numbers[1 : self._settings.hold_seconds + 1]:
            self._voice.prepare([number])
            yield

    def open(self) -> None:
        """Open the speaker; DeviceError if it cannot be. What was queued goes on playing."""
        if self._timeline is not None:
            speaker = Speaker(self._timeline, self._settings.speaker, self._on_lost)
            self._speaker = self._opened.enter_context(speaker)
            self._unheard_since = None

    def close(self, at: float) -> None:
        """Release a lost speaker."""
        if self._speaker is not None:
            self._speaker.__exit__(None, None, None)
            self._speaker = None
        self._unheard_since, self._unheard_samples = at + _UNHEARD_SECONDS, 0

    def speaks_again(self) -> bool:
        """Try a voice that failed; True if it speaks again."""
        if self._voice is None or not self._voice.try_again():
            return False
        if self._timeline is not None:
            self._timeline.forget_counts()
        return True

    def alarm(self, key: str) -> None:
        """Say a prepared line at once; from any thread."""
        if self._timeline is not None:
            self._timeline.perform(Interject(key, self._prompts.line(key).text))

    @property
    def xruns(self) -> int:
        """Times that the sound card ran dry since the speaker was opened."""
        return self._speaker.underflows if self._speaker else 0

    @property
    def latency_seconds(self) -> float:
        """Time from the timeline to the ear."""
        return self._speaker.latency_seconds if self._speaker else 0.0

    @property
    def is_idle(self) -> bool:
        """True if nothing is left to be heard or read."""
        if self._timeline is not None:
            return self._timeline.is_idle
        return self.output.next_at is None

    def speaks(self) -> bool:
        """Return whether something is spoken now or in a moment; from any thread."""
        return self._timeline is not None and self._timeline.speaks_within(SOON_SECONDS)

    def on_played(self, listener: Callable[[Samples], None]) -> None:
        """Pass every sample that is played to a listener, in the sound card's thread."""
        if self._timeline is not None:
            self._timeline.on_played = listener

    @property
    def rate(self) -> int:
        """Hertz of what is played."""
        return self._timeline.rate if self._timeline else DEFAULT_RATE

    def own_words(self) -> str:
        """Return what Charley says just now, as far as it can be heard."""
        return self._timeline.speaking_now() if self._timeline else ""

    def caption(self, at: float) -> None:
        """Show what began to sound since the last call, or would have begun with a speaker."""
        if self._timeline is None:
            return
        if self._unheard_since is not None and at > self._unheard_since:
            passed = round((at - self._unheard_since) * self._timeline.rate)
            self._timeline.read(passed - self._unheard_samples)
            self._unheard_samples = passed
        for begun in self._timeline.take_begun():
            kind = "count" if begun.counted else "say"
            self._show(Caption(begun.at_samples / self._timeline.rate, kind, begun.text))


class VoiceRecovery:
    """The voice of a speaker output, as a part that can be lost and found."""

    name = "voice"

    def __init__(self, speaker: SpeakerOutput) -> None:
        self._speaker = speaker

    def open(self) -> None:
        """Try it; SynthesiserError if it still fails."""
        if not self._speaker.speaks_again():
            raise SynthesiserError("The voice engine still fails.")

    def close(self, _at: float) -> None:
        """There is nothing to release."""
