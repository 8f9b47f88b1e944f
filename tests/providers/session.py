"""A real session of a call without a room: a recording is its microphone, its loudspeaker plays at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
from livekit import rtc
from livekit.agents import AgentSession
from livekit.agents.voice import io
from numpy.typing import NDArray

from agent.brains.assistant import Assistant
from agent.call.model_trouble import ModelTrouble
from agent.call.session import create_session
from agent.journal import CallEvent, CallRecord, SqliteJournal
from agent.journal.forgiving import CallJournal
from agent.phrases import say
from tests.providers.call import Stages

RATE = 16_000
FRAME_S = 0.05
CALL = CallRecord("call", "c", "room", 0.0)


class Microphone(io.AudioInput):
    """Silence, and what `say` is given, in real time."""

    def __init__(self) -> None:
        super().__init__(label="Microphone")
        self._waiting = np.zeros(0, np.int16)
        self._due: float | None = None

    def say(self, samples: NDArray[np.int16]) -> None:
        """Speak a recording of 16 kHz."""
        self._waiting = np.concatenate([self._waiting, samples])

    async def __anext__(self) -> rtc.AudioFrame:
        now = asyncio.get_running_loop().time()
        self._due = (self._due or now) + FRAME_S
        await asyncio.sleep(self._due - now)
        size = int(RATE * FRAME_S)
        samples, self._waiting = self._waiting[:size], self._waiting[size:]
        samples = np.concatenate([samples, np.zeros(size - len(samples), np.int16)])
        return rtc.AudioFrame(samples.tobytes(), RATE, 1, size)


class Loudspeaker(io.AudioOutput):
    """Has played what it gets as soon as a reply has no more."""

    def __init__(self) -> None:
        super().__init__(label="Loudspeaker", capabilities=io.AudioOutputCapabilities(pause=False))
        self._seconds = 0.0

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        self._seconds += frame.duration

    def flush(self) -> None:
        super().flush()
        self._finish(interrupted=False)

    def clear_buffer(self) -> None:
        self._finish(interrupted=True)

    def _finish(self, *, interrupted: bool) -> None:
        if self._seconds:
            self.on_playback_finished(playback_position=self._seconds, interrupted=interrupted)
            self._seconds = 0.0


@dataclass
class RunningSession:
    """A session, and what is left of the call."""

    session: AgentSession[None]
    microphone: Microphone
    journal: SqliteJournal
    trouble: ModelTrouble

    @property
    def history(self) -> list[tuple[str, str]]:
        """Who said what."""
        return [(item.role, item.text_content or "") for item in self.session.history.items if item.type == "message"]

    async def until_history(self, count: int, timeout: float = 60.0) -> list[tuple[str, str]]:
        """Wait until so much was said."""
        async with asyncio.timeout(timeout):
            while len(self.history) < count:
                await asyncio.sleep(0.05)
        return self.history

    async def events(self) -> list[CallEvent]:
        """What the journal holds."""
        await self.trouble.close()
        return await self.journal.events_of_call(CALL.id)


@asynccontextmanager
async def running_session(stages: Stages) -> AsyncIterator[RunningSession]:
    """A session as a call makes it, started, with these models and a journal in memory."""
    with SqliteJournal(None) as journal:
        session = create_session(stages.models, with_model=True)
        trouble = ModelTrouble(CALL.id, CallJournal(journal, CALL), session, lambda phrase: say(phrase, "en"))
        stages.models.reports.listener = trouble.take
        microphone = Microphone()
        session.input.audio = microphone
        session.output.audio = Loudspeaker()
        await session.start(Assistant("Answer."), record=False)
        try:
            yield RunningSession(session, microphone, journal, trouble)
        finally:
            await session.aclose()
            await trouble.close()
