"""The on-device audio model for the end of a turn: LiveKit's turn-detector v1-mini, called directly."""

import asyncio

import numpy as np
from livekit.local_inference import EOT, EOT_MAX_SAMPLES, init_eot
from numpy.typing import NDArray

RATE = 16_000


class VoiceModel:
    """Says from the last 1.2 s of a voice how likely it is that the turn is over (about 30 ms of one core).

    The weights (108 MB) are loaded once in each process, or inherited from the process it was forked from.
    """

    def __init__(self) -> None:
        self._model = EOT()

    @staticmethod
    def load() -> None:
        """Load the weights now."""
        init_eot()

    async def probability(self, samples: NDArray[np.int16]) -> float:
        """The probability that the turn is over; `samples` are mono at 16 kHz and end with the pause."""
        return float(await asyncio.to_thread(self._model.predict, samples[-EOT_MAX_SAMPLES:]))
