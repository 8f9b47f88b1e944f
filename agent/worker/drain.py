"""The end of a worker: running calls finish, then what the thread has not acknowledged is delivered."""

import asyncio
import logging
import time

from livekit.agents import AgentServer

from agent.journal import Journal, JournalError
from agent.settings import Settings
from agent.worker.delivery import LeftoverDelivery

logger = logging.getLogger("agent.worker")

LAST_DELIVERY_S = 10.0
LOOK_EVERY_S = 0.1


class Drain:
    """What a worker waits for when it is asked to stop; with `DRAIN_SECONDS=0` for nothing.

    Args:
        settings: how long calls are waited for.
        journal: where turns wait.
        delivery: brings them; it goes on while they are waited for.
        delivery_s: seconds that deliveries are waited for at most.
    """

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        delivery: LeftoverDelivery,
        delivery_s: float = LAST_DELIVERY_S,
    ) -> None:
        self._seconds = settings.drain_seconds
        self._delivers = bool(settings.chat_api_url)
        self._journal = journal
        self._delivery = delivery
        self._delivery_s = delivery_s

    async def calls(self, server: AgentServer) -> None:
        """Take no call any more and wait for those that run, `DRAIN_SECONDS` at most."""
        if not self._seconds:
            return
        logger.info("the worker drains: running calls may go on for a while", extra={"seconds": self._seconds})
        try:
            await server.drain()
        except TimeoutError:
            logger.warning("calls were still running when the time to drain was over and are ended")

    async def turns(self) -> None:
        """Wait until the thread has everything; what is left then is said."""
        if not (self._seconds and self._delivers):
            return
        self._delivery.hurry()
        deadline = time.monotonic() + self._delivery_s
        try:
            left = await self._left()
            while left and time.monotonic() < deadline:
                await asyncio.sleep(LOOK_EVERY_S)
                left = await self._left()
        except JournalError as error:
            logger.error("it cannot be told what is left to deliver: %s", error)
            return
        if left:
            logger.warning("turns are not delivered yet, they stay in the journal", extra={"turns": left})

    async def _left(self) -> int:
        return (await self._journal.backlog()).turns
