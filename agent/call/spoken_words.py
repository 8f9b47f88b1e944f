"""The words of a reply as they are heard: passed on in step with the voice, and known when it is cut.

The library's `TranscriptSynchronizer` does the same with a Fourier transform of all that the agent says, and timers for
each word. Here the voice tells how far it is whenever it plays a chunk.
"""

import asyncio

import numpy as np
from livekit.agents.voice.io import TextOutput
from numpy.typing import NDArray

from agent.call.speech_pace import SpeechPace
from agent.models.cut_sentence import SpeakingRate

# Letters and digits in a second without pauses (the local voice: 16.8 to 19.6).
USUAL_RATE = 18.0
# A word is shown, and counts as heard, when no more than so many letters of it are left.
HALF_WORD = 3


class SpokenWords(TextOutput):
    """Receives the text of replies as it is written, and passes it on as it is said; `run` does that.

    The voice tells it of each reply: `add_audio`, `audio_complete`, `played` and `finish`, or `no_audio`.

    Args:
        next_in_chain: where the words go.
    """

    def __init__(self, next_in_chain: TextOutput) -> None:
        super().__init__(label="spoken words", next_in_chain=next_in_chain)
        self._next = next_in_chain
        self._rate = SpeakingRate(USUAL_RATE)
        self._pace = SpeechPace(self._rate)
        self._shown = 0  # characters
        self._text_open = False
        self._audio_complete = False
        # Whether text that still comes belongs to a reply that is over.
        self._late = False
        self._due: asyncio.Queue[str | None] = asyncio.Queue()  # None: the reply is over

    async def run(self) -> None:
        """Pass on what is said, until cancelled."""
        while True:
            if (text := await self._due.get()) is None:
                self._next.flush()
            else:
                await self._next.capture_text(text)

    async def capture_text(self, text: str) -> None:
        """Further text of the reply; see `TextOutput.capture_text`."""
        self._text_open = True
        if not self._late:
            self._pace.text += text

    def flush(self) -> None:
        """The reply has no more text."""
        if self._text_open:
            self._text_open = self._late = False
            self._complete()

    def add_audio(self, samples: NDArray[np.int16], rate: int) -> None:
        """Further audio of the reply.

        Args:
            samples: mono.
            rate: samples a second.
        """
        self._pace.add_audio(samples, rate)

    def audio_complete(self) -> None:
        """The reply has no more audio."""
        self._audio_complete = True
        self._complete()

    def played(self, seconds: float) -> None:
        """So much of the reply's audio has been heard."""
        self._show(self._pace.said(seconds, HALF_WORD))

    def finish(self, seconds: float, *, interrupted: bool) -> str:
        """The reply is over; returns what was said of its text.

        Args:
            seconds: how much of its audio was heard.
            interrupted: whether that is not all of it.
        """
        said = self._pace.said(seconds, HALF_WORD) if interrupted else self._pace.text
        self._show(said)
        self.no_audio()
        return said

    def no_audio(self) -> None:
        """What was written will not be said, or no more of it."""
        if self._shown:
            self._due.put_nowait(None)
        self._pace, self._shown, self._audio_complete = SpeechPace(self._rate), 0, False
        self._late = self._text_open

    def _complete(self) -> None:
        if self._audio_complete and not self._text_open and self._pace.text:
            self._pace.complete()

    def _show(self, said: str) -> None:
        if len(said) > self._shown:
            self._due.put_nowait(said[self._shown :])
            self._shown = len(said)
