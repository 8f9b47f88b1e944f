"""From the metadata of a dispatch to a job: its profile is found, the dispatch laid over it, templates filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError

from agent.job.merging import merge_patch
from agent.job.metadata import WHAT, read_object
from agent.job.problems import JobError, ProfileError, ProfileNotFound, describe, named
from agent.job.spec import CallSpec, Job, Profile
from agent.job.template import TemplateError, render
from agent.job.texts import profile_name
from agent.job.unpod import KNOWN_BY, from_unpod

TEMPLATES = ("instructions", "greeting")


class Profiles(Protocol):
    """Where profiles come from."""

    async def load(self, name: str) -> Profile:
        """The profile of a name.

        Args:
            name: as `agent.job.texts.profile_name` allows it.

        Raises:
            ProfileNotFound: there is none.
            ProfileError: it cannot be had or used.
        """


@dataclass(frozen=True, slots=True)
class Dispatch:
    """What a dispatch said: a JSON object, not checked further.

    Args:
        members: in our terms.
        profile: the profile that it names, or "".
        named_by: the key that names it.
        name_without_profile: the agent's name when there is no such profile; None when there has to be one.
    """

    members: Mapping[str, Any]
    profile: str = ""
    named_by: str = "profile"
    name_without_profile: str | None = None


def read_dispatch(metadata: str) -> Dispatch:
    """Read the metadata of a dispatch: ours, or Unpod's keys (known by `thread_id`).

    Raises:
        JobError: it is no JSON object of a reasonable size and shape, or the profile's name is none.
    """
    data = read_object(metadata)
    if KNOWN_BY in data:
        mapped = from_unpod(data)
        return Dispatch(mapped.members, mapped.profile, "agent_handle", mapped.handle)
    if isinstance(agent := data.get("agent"), str):
        if data.get("profile") is not None:
            raise JobError(f"{WHAT}: key 'agent' names a profile, and so does key 'profile': say it once")
        return Dispatch({**data, "agent": {}}, _checked_name("agent", agent), "agent")
    if (profile := data.get("profile")) is not None:
        return Dispatch(data, _checked_name("profile", profile))
    return Dispatch(data)


async def read_job(metadata: str, profiles: Profiles) -> Job:
    """The job of a dispatch, complete: with its profile, and templates filled in.

    Raises:
        JobError: the metadata or the profile cannot be used; the message names the key and never a value.
    """
    dispatch = read_dispatch(metadata)
    if not dispatch.profile:
        return make_job(dispatch, None)
    try:
        profile = await profiles.load(dispatch.profile)
    except ProfileError as error:
        if isinstance(error, ProfileNotFound) and dispatch.name_without_profile is not None:
            return make_job(dispatch, None)
        raise type(error)(f"{WHAT}: key '{dispatch.named_by}': {error}") from None
    return make_job(dispatch, profile)


def parse_job(metadata: str) -> Job:
    """The job of a dispatch that names no profile; see `read_job`.

    Raises:
        JobError: the metadata cannot be used, or names a profile.
    """
    dispatch = read_dispatch(metadata)
    if dispatch.profile and dispatch.name_without_profile is None:
        raise JobError(f"{WHAT}: key '{dispatch.named_by}': there are no profiles here")
    return make_job(dispatch, None)


def make_job(dispatch: Dispatch, profile: Profile | None) -> Job:
    """Lay a dispatch over its profile, check all of it, and fill in the templates.

    Raises:
        JobError: something in it is wrong; the key is named.
    """
    if profile is not None:
        members = {**merge_patch(defaults_of(profile), dispatch.members), "profile": dispatch.profile}
    elif dispatch.name_without_profile:
        members = merge_patch(dispatch.members, {"agent": {"name": dispatch.name_without_profile}})
    else:
        members = merge_patch({}, dispatch.members)
    try:
        job = Job.model_validate(members)
    except ValidationError as error:
        raise JobError(f"{WHAT}: {describe(error, Job)}") from None
    job = fill_in(job)
    return job if profile is None else job.of_team(profile.tool_specs(), profile.webhook)


def defaults_of(profile: Profile) -> dict[str, Any]:
    """What a profile says about a call, as plain data."""
    return profile.model_dump(mode="json", exclude_unset=True, include=set(CallSpec.model_fields))


def fill_in(job: Job) -> Job:
    """The job with its templates filled in.

    Raises:
        JobError: a template needs a value that the job does not have.
    """
    values = {
        "conversation_id": job.conversation_id,
        "user.id": job.user.id,
        "user.name": job.user.name,
        "agent.name": job.agent.name,
        "agent.language": job.agent.language,
        **{f"variables.{name}": value for name, value in job.variables.items()},
    }
    filled = {}
    for member in TEMPLATES:
        try:
            filled[member] = render(getattr(job.agent, member), values)
        except TemplateError as error:
            raise JobError(f"{WHAT}: key {named(('agent', member))}: {error}") from None
    return job.model_copy(update={"agent": job.agent.model_copy(update=filled)})


def _checked_name(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise JobError(f"{WHAT}: key '{key}': must be text")
    try:
        return profile_name(value)
    except ValueError as error:
        raise JobError(f"{WHAT}: key '{key}': {error}") from None
