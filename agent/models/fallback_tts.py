"""The voices of a call as one: when one fails, even in the middle of a sentence, the next one goes on about there.

livekit's own adapter leaves out the rest of such a sentence. Each sentence is one request, to voices that could take a
stream of words too: so it is known what was said.
"""

import string
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from livekit import rtc
from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions, APIError, tts
from livekit.agents.utils import shortuuid

from agent.models.cut_sentence import SpeakingRate, is_too_short, letters, rest_of
from agent.models.failure import ModelFailed
from agent.models.patience import Patience, in_time
from agent.models.reports import ModelReports
from agent.models.stage import Candidate, Stage, StageLimits

# Stands for a text without a letter, such as an emoji: nobody is asked to speak it.
PAUSE_S = 0.1
# More sound than this is no speech of the text any more.
LONGEST_S = 20.0
SLOWEST_RATE = 3.0
# So many bytes of samples are never all printable; those of an error page are.
TELLING_BYTES = 32
PRINTABLE = frozenset(string.printable.encode())


class FallbackTTS(tts.TTS[Any]):
    """Several voices in order; see `Stage`. Where none can speak, there is silence as long as the words.

    Args:
        candidates: the voices, all with as many channels; closed by `aclose`.
        limits: when to give one up; its patience is that until the first sound, and between sounds.
        reports: told of what happens.
    """

    def __init__(
        self, candidates: Sequence[Candidate[tts.TTS[Any]]], limits: StageLimits, reports: ModelReports
    ) -> None:
        first = candidates[0].model
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False),
            sample_rate=first.sample_rate,
            num_channels=first.num_channels,
        )
        self.stage = Stage("tts", candidates, limits, reports)
        self.rates = {voice: SpeakingRate() for voice in self.stage.models}

    @property
    def model(self) -> str:
        """The model that spoke last."""
        return self.stage.latest.model

    @property
    def provider(self) -> str:
        """The provider that spoke last."""
        return self.stage.latest.provider

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        """See `livekit.agents.tts.TTS.synthesize`; time-outs and retries are those of the stage."""
        return _FallbackSpeech(self, text, conn_options)

    def prewarm(self) -> None:
        """Connect to the preferred one before it is needed."""
        self.stage.models[0].prewarm()

    async def aclose(self) -> None:
        """Close the voices."""
        for voice in self.stage.models:
            await voice.aclose()


class _FallbackSpeech(tts.ChunkedStream):
    def __init__(self, owner: FallbackTTS, text: str, conn_options: APIConnectOptions) -> None:
        super().__init__(tts=owner, input_text=text, conn_options=conn_options)
        self._owner = owner
        self._rest = text  # what is still to be said
        self._heard = 0.0  # seconds of sound

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(
            request_id=shortuuid(),
            sample_rate=self._owner.sample_rate,
            num_channels=self._owner.num_channels,
            mime_type="audio/pcm",
        )
        if not letters(self._rest):
            output_emitter.push_frame(self._silence(PAUSE_S))
            return
        try:
            await self._owner.stage.run(lambda voice, patience: self._speak(voice, patience, output_emitter))
        except ModelFailed:
            if not self._heard:
                rate = self._owner.rates[self._owner.stage.models[0]].letters_per_second
                output_emitter.push_frame(self._silence(letters(self._rest) / rate))

    async def _speak(self, voice: tts.TTS[Any], patience: Patience, output_emitter: tts.AudioEmitter) -> None:
        """Let one voice say what is left; raises what it fails with."""
        text, rate = self._rest, self._owner.rates[voice]
        if not letters(text):
            return
        spoken, whole = 0.0, False
        try:
            async with aclosing(self._sound_of(voice, text, patience)) as frames:
                async for frame in frames:
                    output_emitter.push_frame(frame)
                    spoken += frame.duration
                    if spoken > LONGEST_S + letters(text) / SLOWEST_RATE:
                        raise ModelFailed("endless")
            if is_too_short(text, spoken):
                raise ModelFailed("cut short")
            whole = True
        except APIError as error:
            if type(error) is APIError and not spoken:
                raise ModelFailed("no sound") from None  # the library's own words for it hold the text
            raise
        finally:
            self._heard += spoken
            if not whole:
                self._rest = rest_of(text, round(spoken * rate.letters_per_second))
        rate.note(text, spoken)

    async def _sound_of(
        self, voice: tts.TTS[Any], text: str, patience: Patience
    ) -> AsyncGenerator[rtc.AudioFrame, None]:
        """What a voice says, at our rate."""
        ours = self._owner.sample_rate
        resampler = None
        if voice.sample_rate != ours:
            resampler = rtc.AudioResampler(voice.sample_rate, ours, num_channels=voice.num_channels)
        first = True
        options = APIConnectOptions(max_retry=0, timeout=patience.first)
        stream = voice.synthesize(text, conn_options=options)
        async with stream, aclosing(in_time(stream, patience, _has_sound)) as pieces:
            async for piece in pieces:
                if first and _is_text(piece.frame):
                    raise ModelFailed("nonsense")
                first = False
                for frame in [piece.frame] if resampler is None else resampler.push(piece.frame):
                    yield frame
        for frame in [] if resampler is None else resampler.flush():
            yield frame

    def _silence(self, seconds: float) -> rtc.AudioFrame:
        samples = max(1, int(seconds * self._owner.sample_rate))
        return rtc.AudioFrame.create(self._owner.sample_rate, self._owner.num_channels, samples)


def _has_sound(piece: tts.SynthesizedAudio) -> bool:
    return piece.frame.samples_per_channel > 0


def _is_text(frame: rtc.AudioFrame) -> bool:
    start = bytes(frame.data.cast("B")[:TELLING_BYTES])
    return len(start) == TELLING_BYTES and PRINTABLE.issuperset(start)
