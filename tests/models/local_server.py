"""The models server inside the test's own process, where a test can hold a model in the middle of its work."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import openai
from aiohttp import web
from hibari import Hibari
from numpy.typing import NDArray
from openai import AsyncOpenAI

from agent.dev.models.server import create_models_app

HELD_AT_MOST_S = 60.0


class Gate:
    """Stands before the voice: counts what it is asked for and what it makes, and holds it while the gate is shut."""

    def __init__(self) -> None:
        self.asked = 0
        self.made = 0
        self.reached = threading.Event()
        self._hold_after: int | None = None
        self._opened = threading.Event()
        self._error: Exception | None = None

    def shut(self, hold_after: int) -> None:
        """Count from nothing; so many sentences go through, and the next one waits for `open`."""
        self.asked, self.made, self._hold_after = 0, 0, hold_after
        self._error = None
        self._opened.clear()
        self.reached.clear()

    def open(self) -> None:
        """Let everything through."""
        self._hold_after = None
        self._opened.set()

    def fail(self, error: Exception) -> None:
        """Let what is held fail with this."""
        self._error = error
        self._opened.set()

    def pass_through(self) -> None:
        """Called by the model's thread before each sentence."""
        if self._hold_after is not None and self.made >= self._hold_after:
            self.reached.set()
            assert self._opened.wait(HELD_AT_MOST_S), "the gate was never opened"
            if self._error is not None:
                raise self._error
        self.made += 1

    async def until_asked(self, requests: int) -> None:
        """Wait until so many requests have come as far as to the model."""
        async with asyncio.timeout(HELD_AT_MOST_S):
            while self.asked < requests:
                await asyncio.sleep(0.01)

    async def until_reached(self) -> None:
        """Wait until the model stands before the gate."""
        assert await asyncio.to_thread(self.reached.wait, HELD_AT_MOST_S)


class GatedVoice(Hibari):  # type: ignore[misc]  # the package has no types
    """The real voice behind a gate."""

    gate = Gate()

    def from_phonemes(self, phonemes: str, speed: float = 1.0, seed: int | None = None) -> NDArray[np.float32]:
        """The samples of a sentence, once the gate lets it through."""
        self.gate.pass_through()
        samples: NDArray[np.float32] = super().from_phonemes(phonemes, speed, seed)
        return samples


@asynccontextmanager
async def local_server() -> AsyncIterator[AsyncOpenAI]:
    """A client of a server in this process, as `python -m agent serve models` makes it, on a free port."""
    runner = web.AppRunner(create_models_app(threads=1), handler_cancellation=True, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        async with AsyncOpenAI(base_url=base_url, api_key="any", max_retries=0) as client:
            yield client
    finally:
        await runner.cleanup()


async def until_ready(client: AsyncOpenAI) -> None:
    """Wait until the models are loaded."""
    async with asyncio.timeout(HELD_AT_MOST_S):
        while True:
            try:
                await client.audio.speech.create(model="hibari", voice="alloy", input="Yes.")
            except openai.InternalServerError:
                await asyncio.sleep(0.05)
            else:
                return
