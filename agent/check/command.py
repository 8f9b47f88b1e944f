"""Looks at everything that a call needs, at once, and says what is well and what to do about the rest."""

import json
from collections.abc import Sequence
from contextlib import AsyncExitStack

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.check.chat import ChatChecks
from agent.check.environment import Wanted, look_at_job, look_at_settings
from agent.check.findings import Finding, Probe, examine_all
from agent.check.livekit import LiveKitChecks
from agent.check.local import with_local_services
from agent.check.models import ModelChecks
from agent.job import Job
from agent.settings import ModelKind, Settings

WELL, WRONG = "✓", "✗"


async def check(wanted: Wanted, timeout: float) -> list[Finding]:
    """Everything in its order: settings, profiles, job, LiveKit, chat, models.

    Args:
        wanted: which job is to be looked at.
        timeout: seconds that each server has for its answers.
    """
    findings, settings = look_at_settings()
    if settings is None:
        return findings
    about_job, job = await look_at_job(settings, wanted)
    return [*findings, *about_job, *await look_at_services(settings, job, timeout)]


async def look_at_services(settings: Settings, job: Job, timeout: float) -> list[Finding]:
    """LiveKit, the chat and each model that a job uses, all at once.

    Args:
        settings: where they are; what they do not name is looked for where `make dev` runs it.
        job: whose conversation and models.
        timeout: seconds that each has for its answers.
    """
    try:
        found = with_local_services(settings)
    except ValueError as error:
        return [Finding("settings", "keys of make dev", str(settings.data_dir), False, str(error), "delete that file")]
    async with AsyncExitStack() as exits:
        models = ModelChecks(found, job, _kinds(job, settings), timeout)
        exits.push_async_callback(models.aclose)
        livekit = LiveKitChecks(found, is_local=not settings.livekit_url, timeout=timeout)
        probes = [*livekit.probes(), *_chat_probes(settings, found, job), *models.probes()]
        return [*_without_chat(settings), *await examine_all(probes, timeout)]


def print_findings(findings: Sequence[Finding], console: Console) -> None:
    """A table, and below it what to do about each thing that is not well."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(width=1)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for finding in findings:
        mark = Text(WELL, style="green") if finding.ok else Text(WRONG, style="bold red")
        said = Text(finding.said, style="" if finding.ok else "red")
        if finding.seconds is not None and finding.ok:
            said.append(f"  {finding.seconds:.1f} s", style="dim")
        if finding.advice:
            said.append(f"\n→ {finding.advice}", style="yellow")
        subject = Text(finding.subject)
        if finding.where:
            subject.append(f"\n{finding.where}", style="dim")
        table.add_row(mark, finding.area, subject, said)
    console.print(table, highlight=False)
    wrong = sum(not finding.ok for finding in findings)
    if wrong:
        console.print(f"\n{wrong} of {len(findings)} not well", style="bold red", highlight=False)
    else:
        console.print(f"\nall {len(findings)} well", style="bold green", highlight=False)


def findings_as_json(findings: Sequence[Finding]) -> str:
    """One line for programs."""
    return json.dumps({"ok": all(f.ok for f in findings), "findings": [f.as_json() for f in findings]})


def _kinds(job: Job, settings: Settings) -> tuple[ModelKind, ...]:
    """The kinds of models that the call uses."""
    thinking: tuple[ModelKind, ...] = ("llm",) if (job.brain or settings.brain) == "llm" else ()
    return ("stt", *thinking, "tts") if job.spoken else thinking


def _chat_probes(settings: Settings, found: Settings, job: Job) -> list[Probe]:
    if _has_no_chat(settings):
        return []
    return ChatChecks(found, job, is_local=not settings.chat_api_url).probes()


def _without_chat(settings: Settings) -> list[Finding]:
    if not _has_no_chat(settings):
        return []
    return [Finding("chat", "none", "", True, "CHAT_API_URL is not set: what is said stands in no thread")]


def _has_no_chat(settings: Settings) -> bool:
    """A worker with a LiveKit of its own and no chat runs without one; the chat of `make dev` is for the other case."""
    return bool(settings.livekit_url) and not settings.chat_api_url
