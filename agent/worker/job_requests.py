"""What a worker answers when LiveKit asks whether it takes a job, and the jobs that it took."""

import logging
from dataclasses import dataclass

from livekit.agents import JobRequest

from agent.job import Job, JobError
from agent.job.loading import load_job
from agent.leases import Tenancy
from agent.metrics.catalogue import JOBS
from agent.settings import Settings
from agent.worker.intake import Intake

logger = logging.getLogger("agent.worker")


@dataclass(frozen=True, slots=True)
class TakenJob:
    """A job that this worker has taken.

    Args:
        call_id: its id, which is the call's.
        metadata: what it was dispatched with.
        job: the same, complete.
    """

    call_id: str
    metadata: str
    job: Job


class JobRequests:
    """Answers LiveKit's requests, and remembers the latest jobs for `LeftoverDelivery` and `Takeovers`.

    Args:
        settings: where profiles are, which models there are, and how many calls are taken.

    Attributes:
        intake: the calls that this worker has on.
    """

    REMEMBERED = 10_000

    def __init__(self, settings: Settings) -> None:
        self.intake = Intake(settings)
        self._settings = settings
        self._taken: dict[str, TakenJob] = {}  # by conversation

    def job_of(self, conversation_id: str) -> Job | None:
        """The job that a conversation was dispatched with last, if this worker took it and remembers it."""
        taken = self._taken.get(conversation_id)
        return taken.job if taken is not None else None

    def metadata_of(self, tenancy: Tenancy) -> str:
        """What a call was dispatched with; empty when another worker took it, or when it is forgotten."""
        taken = self._taken.get(tenancy.conversation_id)
        return taken.metadata if taken is not None and taken.call_id == tenancy.call_id else ""

    async def answer(self, request: JobRequest) -> None:
        """Take a job when there is room for its call, and its metadata, profile and models can be used.

        Where there is no room LiveKit asks another worker. Where all have none, the person is sent an agent as soon as
        one has (see `Unanswered`). A job that cannot be used is refused for all workers, and the log says why.
        """
        if (refusal := self.intake.refusal()) is not None:
            JOBS.inc(answer="full")
            load, calls = round(self.intake.load, 2), self.intake.calls
            logger.warning(
                "a call is not taken, as %s", refusal, extra={"call_id": request.id, "load": load, "calls": calls}
            )
            await request.reject(terminate=False)
            return
        with self.intake.taking(request.id):
            await self._take(request)

    async def _take(self, request: JobRequest) -> None:
        try:
            job = await load_job(request.job.metadata, self._settings)
        except JobError as error:
            JOBS.inc(answer="refused")
            logger.error("job refused: %s", error, extra={"call_id": request.id})
            await request.reject(terminate=True)
            return
        JOBS.inc(answer="accepted")
        self._taken[job.conversation_id] = TakenJob(request.id, request.job.metadata, job)
        if len(self._taken) > self.REMEMBERED:
            del self._taken[next(iter(self._taken))]
        await request.accept(name=job.agent.name)
