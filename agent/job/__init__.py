"""The job specification: what a dispatch and its profile say about one call, parsed at the border into one object."""

from agent.job.metadata import MAX_METADATA_BYTES
from agent.job.problems import JobError, ProfileError, ProfileNotFound
from agent.job.reading import Profiles, parse_job, read_job
from agent.job.spec import (
    DEFAULT_GREETING,
    DEFAULT_INSTRUCTIONS,
    Job,
    JobAgent,
    JobModels,
    JobUser,
    Limits,
    Profile,
    Silence,
    TurnTaking,
)
from agent.job.texts import CONVERSATION_ID

__all__ = [
    "CONVERSATION_ID",
    "DEFAULT_GREETING",
    "DEFAULT_INSTRUCTIONS",
    "MAX_METADATA_BYTES",
    "Job",
    "JobAgent",
    "JobError",
    "JobModels",
    "JobUser",
    "Limits",
    "Profile",
    "ProfileError",
    "ProfileNotFound",
    "Profiles",
    "Silence",
    "TurnTaking",
    "parse_job",
    "read_job",
]
