"""What is to be done for a call once it is over, as the journal keeps it from its beginning on."""

from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.job import Job
from agent.job.model_choice import models_of
from agent.journal import Aftercare, CallRecord
from agent.journal.forgiving import Notices
from agent.settings import Settings
from agent.summary.spec import SummarySpec
from agent.webhook.endpoint import target_of
from agent.webhook.events import CallNotices


class PlanError(ValueError):
    """The journal holds a plan that this version does not understand."""


class Plan(BaseModel):
    """What the worker needs to know when the call's process is gone. Holds no secret."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    summary: SummarySpec | None = None
    models: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The plan that the journal has kept; raises PlanError."""
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            raise PlanError("the plan for after the call cannot be read") from None


def aftercare_of(job: Job, settings: Settings) -> Aftercare | None:
    """What is owed for a call; None: nothing.

    Args:
        job: the call's job, which may ask for a summary; its profile may name a webhook.
        settings: where the webhook is otherwise, and which language models there are.
    """
    target = target_of(job.webhook, settings)
    if target is None and job.summary is None:
        return None
    models = tuple(str(ref) for ref in models_of(job, settings, "llm")) if job.summary is not None else ()
    return Aftercare(Plan(summary=job.summary, models=models).model_dump_json(), target)


def notices_of(call: CallRecord, aftercare: Aftercare | None) -> Notices | None:
    """Who says what the call's webhook is told; None: there is no webhook."""
    return CallNotices(call) if aftercare is not None and aftercare.target is not None else None
