"""What a worker says of itself when it is asked for its metrics."""

import asyncio
import logging
import time
from collections.abc import Callable

from livekit.agents import AgentServer

from agent.journal import Backlog, Journal, JournalError
from agent.metrics.exposition import exposition
from agent.metrics.registry import Registry
from agent.metrics.worker_state import WorkerState
from agent.settings import Settings
from agent.worker.intake import Intake
from agent.worker.livekit_link import is_registered

logger = logging.getLogger("agent.metrics")

JOURNAL_TIMEOUT_S = 2.0


class WorkerStatus:
    """Gathers the state of one worker.

    Args:
        server: the worker.
        settings: its settings.
        registry: the sums of all samples.
        draining: whether the worker was asked to stop.
        intake: its load.

    Attributes:
        journal: where turns wait for the thread; None until it is open.
    """

    def __init__(
        self,
        server: AgentServer,
        settings: Settings,
        registry: Registry,
        draining: Callable[[], bool],
        intake: Intake,
    ) -> None:
        self.journal: Journal | None = None
        self._server = server
        self._settings = settings
        self._registry = registry
        self._draining = draining
        self._intake = intake

    async def metrics(self) -> bytes:
        """The text for Prometheus."""
        return exposition(self._registry, await self._now())

    async def _now(self) -> WorkerState:
        backlog = await self._backlog()
        draining = self._draining()
        registered = is_registered(self._server)
        return WorkerState(
            calls_running=self._registry.calls_running(),
            load=self._intake.load,
            load_limit=self._settings.worker_max_load,
            ready=registered and not draining,
            draining=draining,
            outbox_turns=backlog.turns if backlog is not None else None,
            outbox_age=_age(backlog) if backlog is not None else None,
        )

    async def _backlog(self) -> Backlog | None:
        if self.journal is None:
            return None
        try:
            return await asyncio.wait_for(self.journal.backlog(), JOURNAL_TIMEOUT_S)
        except (JournalError, TimeoutError) as error:
            logger.error("the outbox cannot be counted: %s", error)
            return None


def _age(backlog: Backlog) -> float:
    return 0.0 if backlog.oldest is None else max(0.0, time.time() - backlog.oldest)
