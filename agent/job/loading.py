"""From a dispatch to a job that this worker can do: what the worker asks itself before it takes one."""

import asyncio
import os

from agent.job.model_choice import check_models
from agent.job.problems import JobError
from agent.job.profile_source import profile_source
from agent.job.reading import read_job
from agent.job.spec import Job
from agent.settings import Settings
from agent.tools.preflight import check_secrets
from agent.tools.secrets import ToolConfigError


async def load_job(metadata: str, settings: Settings) -> Job:
    """The job of a dispatch, complete and checked against what this worker has.

    Raises:
        JobError: something in it cannot be used; the message names the key and never a value.
    """
    job = await read_job(metadata, profile_source(settings))
    await asyncio.to_thread(check_models, job, settings)
    if (days := job.recording.keep_days) is not None and days > settings.recording_days:
        raise JobError(
            f"job metadata: key 'recording.keep_days': must not be more than RECORDING_DAYS ({settings.recording_days})"
        )
    try:
        check_secrets(job.tools, os.environ)
    except ToolConfigError as error:
        raise JobError(f"profile {job.profile}: {error}") from None
    return job
