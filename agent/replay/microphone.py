"""The caller's microphone: frames of a source, as a room delivers them."""

import asyncio

import av
import numpy as np
from livekit import rtc
from livekit.agents.voice import io

from agent.dev.models.samples import HEARING_RATE
from agent.replay.sound import RATE, Sound, SoundSource
from agent.replay.tape import Tape

# RoomIO reads frames of 50 ms.
FRAME = RATE // 20


class Microphone(io.AudioInput):
    """Gives each frame when its last sample would have been heard, silence after the end, and never stops.

    The frames have 16 kHz, which VAD, turn detector and recogniser hear: at any other rate livekit's resampler comes in
    between, which adds dither (1.8.9) and so makes no two runs alike.

    Args:
        source: what it hears.
        tape: when it began, and where it is written down.
    """

    def __init__(self, source: SoundSource, tape: Tape) -> None:
        super().__init__(label="Microphone")
        self._source = source
        self._tape = tape
        self._position = 0
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=HEARING_RATE)

    @property
    def exhausted(self) -> bool:
        """Whether all of the source was given."""
        return self._source.exhausted

    async def __anext__(self) -> rtc.AudioFrame:
        """The next frame; see `livekit.agents.voice.io.AudioInput`."""
        due = (self._position + FRAME) / RATE
        # Also with nothing to wait for: in a call other tasks run between two frames.
        await asyncio.sleep(max(0.0, due - self._tape.now))
        samples = self._source.read(self._position, FRAME)
        self._tape.add_caller(self._position, samples)
        self._position += FRAME
        heard = self._resample(samples)
        return rtc.AudioFrame(heard.tobytes(), HEARING_RATE, 1, len(heard))

    def _resample(self, samples: Sound) -> Sound:
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.sample_rate = RATE
        frame.pts = self._position
        return np.concatenate([part.to_ndarray()[0] for part in self._resampler.resample(frame)])
