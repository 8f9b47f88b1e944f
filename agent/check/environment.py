"""What can be looked at without asking anybody: settings, profiles and the job, by the worker's own code."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

from agent.check.findings import Finding
from agent.job import Job, JobError, Profile, ProfileError
from agent.job.loading import load_job
from agent.job.metadata import MAX_METADATA_BYTES
from agent.job.profile_source import ProfileSource, profile_source
from agent.job.template import VARIABLES, names_in
from agent.providers import check_providers
from agent.settings import Settings, SettingsError, load_settings

CONVERSATION = "agent-check"
ANYBODY = {"id": "agent-check", "name": "Somebody"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to have looked at.

    Args:
        job_file: a file with the metadata of a dispatch.
        profile: the name of a profile, which a dispatch without more would name.
    """

    job_file: Path | None = None
    profile: str | None = None


def look_at_settings() -> tuple[list[Finding], Settings | None]:
    """The environment and `.env`, and whether each model's provider is configured."""
    try:
        settings = load_settings()
        check_providers(settings)
    except SettingsError as error:
        return [
            Finding("settings", "environment, .env", "", False, str(error), "correct it: .env.example explains")
        ], None
    return [Finding("settings", "environment, .env", "", True, "can be used")], settings


async def look_at_job(settings: Settings, wanted: Wanted) -> tuple[list[Finding], Job]:
    """The profiles that there are and the job that is wanted; a simple job where that cannot be used."""
    source = profile_source(settings)
    names = source.names() if wanted.profile is None else [wanted.profile]
    findings = [await _look_at_profile(source, settings, name) for name in names]
    metadata = await _metadata(source, wanted)
    where = str(wanted.job_file) if wanted.job_file is not None else ""
    advice = "correct it: docs/configuration.md explains each key"
    if isinstance(metadata, OSError):
        reason = metadata.strerror or "it cannot be read"
        return [*findings, Finding("job", "metadata", where, False, reason, "name a file that can be read")], _any_job()
    try:
        job = await load_job(metadata, settings)
    except JobError as error:
        return [*findings, Finding("job", "metadata", where, False, str(error), advice)], _any_job()
    if wanted.job_file is not None:
        findings.append(Finding("job", "metadata", where, True, "is taken"))
    return findings, job


async def _look_at_profile(source: ProfileSource, settings: Settings, name: str) -> Finding:
    """Whether a dispatch may name a profile, and what it has to say then."""
    advice = "correct it: docs/configuration.md explains each key"
    try:
        profile = await source.load(name)
        await load_job(_metadata_for(name, profile), settings)
    except ProfileError as error:
        return Finding("profile", name, settings.profiles, False, str(error), advice)
    except JobError as error:
        said = str(error).removeprefix("job metadata: ")
        return Finding("profile", name, settings.profiles, False, said, advice)
    needed = _needed(profile)
    said = f"can be used; a dispatch has to give {', '.join(needed)}" if needed else "can be used"
    return Finding("profile", name, settings.profiles, True, said)


async def _metadata(source: ProfileSource, wanted: Wanted) -> str | OSError:
    """The metadata of the job that is wanted."""
    if wanted.job_file is not None:
        try:
            return await asyncio.to_thread(_read, wanted.job_file)
        except OSError as error:
            return error
    if wanted.profile is not None:
        try:
            return _metadata_for(wanted.profile, await source.load(wanted.profile))
        except ProfileError:
            pass  # it is a finding already
    return json.dumps({"conversation_id": CONVERSATION, "user": ANYBODY})


def _metadata_for(name: str, profile: Profile) -> str:
    """A dispatch that gives what a profile's templates need."""
    variables = {
        needed.removeprefix(VARIABLES): "something" for needed in _needed(profile) if needed.startswith(VARIABLES)
    }
    return json.dumps({"conversation_id": CONVERSATION, "user": ANYBODY, "profile": name, "variables": variables})


def _needed(profile: Profile) -> list[str]:
    """What the templates of a profile need and it does not say itself."""
    given = {f"{VARIABLES}{name}" for name in profile.variables} | {"conversation_id", "agent.name", "agent.language"}
    names = names_in(profile.agent.instructions) + names_in(profile.agent.greeting)
    return sorted(set(names) - given)


def _any_job() -> Job:
    return Job.model_validate({"conversation_id": CONVERSATION, "user": ANYBODY})


def _read(path: Path) -> str:
    with path.open(encoding="utf-8", errors="surrogateescape") as file:
        return file.read(MAX_METADATA_BYTES + 1)
