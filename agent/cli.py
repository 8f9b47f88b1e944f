"""The command line: `python -m agent dev | start | check | schema | token | replay | report | calls | serve`."""

import asyncio
import json
import os
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from agent.settings import Settings, SettingsError, load_settings

# The commands import what they run only when they run: `--help` answers at once, and the worker loads no dev stack.

app = typer.Typer(
    name="agent",
    help="A voice agent whose calls and chat are one conversation.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
serve = typer.Typer(help="Run one of the embedded services alone (development and trials).", no_args_is_help=True)
app.add_typer(serve, name="serve")

PAGE_DIR = Path(__file__).parent / "dev" / "page" / "dist"
LOOPBACK = "127.0.0.1"


def fail(message: str) -> NoReturn:
    """End with one line that says what to do."""
    typer.secho(f"error: {message}", fg="red", err=True)
    raise typer.Exit(1)


def settings_or_fail() -> Settings:
    """The settings, or one line that says which of them is wrong."""
    try:
        return load_settings()
    except SettingsError as error:
        fail(str(error))


@app.command()
def dev(
    json_output: Annotated[bool, typer.Option("--json", help="Print what runs where as one line of JSON.")] = False,
) -> None:
    """Run everything on this machine: LiveKit, chat, models, page and worker; restarts on changes."""
    from agent.dev.stack import run_stack

    raise typer.Exit(asyncio.run(run_stack(settings_or_fail(), json_output=json_output)))


@app.command()
def start() -> None:
    """Run the production worker: no embedded services; SIGTERM lets running calls finish."""
    from agent.logs import configure_logging
    from agent.worker.worker import run_worker

    settings = settings_or_fail()
    configure_logging(settings.log_level, settings.log_format)
    try:
        status = asyncio.run(run_worker(settings))
    except SettingsError as error:
        fail(str(error))
    raise typer.Exit(status)


@app.command()
def check(
    job: Annotated[Path | None, typer.Option(help="A file with the job metadata of a dispatch.")] = None,
    profile: Annotated[str | None, typer.Option(help="The name of a profile, as a dispatch says it.")] = None,
    timeout: Annotated[float, typer.Option(min=0.1, max=120, help="Seconds that each server has to answer.")] = 15.0,
    json_output: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """Look whether everything is there that a call needs; says what to do about what is not. Ends with 1 then."""
    import logging

    from rich.console import Console

    from agent.check.command import check as look
    from agent.check.command import findings_as_json, print_findings
    from agent.check.environment import Wanted

    if job is not None and profile is not None:
        fail("--job says itself which profile it wants: leave --profile out")
    logging.disable()  # what libraries would say of it is among the findings
    findings = asyncio.run(look(Wanted(job, profile), timeout))
    if json_output:
        typer.echo(findings_as_json(findings))
    else:
        print_findings(findings, Console())
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 1)


@app.command()
def schema(
    kind: Annotated[str, typer.Argument(metavar="job|profile", help="What the schema is of.")] = "job",
    write: Annotated[bool, typer.Option("--write", help="Bring the schemas and tables under docs up to date.")] = False,
) -> None:
    """Print the JSON Schema of job metadata or of a profile, for editors and validators."""
    from agent.job.schema import TITLES, json_schema
    from agent.reference import write as write_reference

    if write:
        for path in write_reference():
            typer.echo(f"written: {path}")
    elif kind in TITLES:
        typer.echo(json.dumps(json_schema(kind), indent=2))
    else:
        fail(f"there is a schema of: {', '.join(TITLES)}")


@app.command()
def token(
    conversation: Annotated[str, typer.Option(help="The conversation to join; it is made if it is new.")],
    user: Annotated[str, typer.Option(help="Who joins.")] = "cli",
    job: Annotated[str, typer.Option(help="Further members of the job metadata, as a JSON object.")] = "{}",
    json_output: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """Print a token and the address to join a room in which the agent answers."""
    from agent.dev.chat.room_tokens import new_room_token

    settings = settings_or_fail()
    try:
        made = new_room_token(_with_local_livekit(settings), conversation, user, json.loads(job))
    except ValueError as error:
        fail(str(error))
    if json_output:
        typer.echo(
            json.dumps({"url": made.url, "token": made.token, "room": made.room, "conversation_id": conversation})
        )
    else:
        typer.echo(f"URL    {made.url}\nRoom   {made.room}\nToken  {made.token}")


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="A recording: WAV, FLAC, MP3, OGG and others, mono or stereo.")],
    job: Annotated[Path | None, typer.Option(help="A file with the job metadata of a dispatch.")] = None,
    fast: Annotated[bool, typer.Option("--fast", help="As fast as it goes, the same each time.")] = False,
    greet: Annotated[bool, typer.Option(help="Whether the agent begins, as it does in a call.")] = False,
    out: Annotated[Path | None, typer.Option(help="The folder for what is written; else FILE-replay.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one line of JSON at the end.")] = False,
) -> None:
    """Run a recording through the whole pipeline, without any server: sound, turns, table and picture."""
    if fast:
        from agent.replay.virtual_time import install

        install()  # before anything imports livekit-agents
    from agent.job import JobError
    from agent.replay.command import ReplayError, Request
    from agent.replay.command import replay as run_replay
    from agent.replay.sound import SoundError

    settings = settings_or_fail()
    try:
        run_replay(Request(file, job, out, fast, greet, json_output), settings)
    except (SoundError, JobError, SettingsError, ReplayError) as error:
        fail(str(error))


@app.command()
def report(
    call: Annotated[
        str | None, typer.Argument(help="The call's id, or how it begins; the latest call by default.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page that needs nothing else to this file.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object (docs/reports.md).")] = False,
) -> None:
    """Report a call: thread, time line, latency, errors, deliveries, usage and cost."""
    from agent.report.command import ReportError, report_command

    try:
        report_command(settings_or_fail(), call, json_output=json_output, html=html)
    except ReportError as error:
        fail(str(error))


@app.command()
def calls(
    limit: Annotated[int, typer.Option(help="How many, the latest first.", min=1, max=10_000)] = 20,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON array (docs/reports.md).")] = False,
) -> None:
    """List the latest calls."""
    from agent.report.command import ReportError, calls_command

    try:
        calls_command(settings_or_fail(), limit, json_output=json_output)
    except ReportError as error:
        fail(str(error))


@serve.command()
def models() -> None:
    """The local models behind the OpenAI API."""
    from agent.dev.models.server import create_models_app
    from agent.dev.serving import run_app
    from agent.logs import configure_logging

    settings = settings_or_fail()
    configure_logging(settings.log_level, settings.log_format)
    server = create_models_app(threads=settings.local_model_threads)
    run_app(server, LOOPBACK, settings.models_port, grace=0.25, cancel_abandoned=True)


@serve.command()
def chat() -> None:
    """The chat server, room tokens and the page."""
    from agent.dev.chat.app import create_chat_app
    from agent.dev.secrets import load_dev_secrets
    from agent.dev.serving import run_app
    from agent.logs import configure_logging

    settings = settings_or_fail()
    configure_logging(settings.log_level, settings.log_format)
    try:
        secrets = load_dev_secrets(settings.data_dir)
    except ValueError as error:
        fail(str(error))
    embedded = os.environ.get("CHAT_EMBEDDED", "1") == "1"
    page = PAGE_DIR if PAGE_DIR.is_dir() else None
    run_app(create_chat_app(settings, secrets, page_dir=page, embedded_chat=embedded), LOOPBACK, settings.page_port)


def _with_local_livekit(settings: Settings) -> Settings:
    """The settings with the address and the keys of `agent dev`, where no other LiveKit is named."""
    from agent.dev.secrets import load_dev_secrets

    if settings.livekit_url:
        return settings
    secrets = load_dev_secrets(settings.data_dir)
    return settings.model_copy(
        update={
            "livekit_url": f"ws://{LOOPBACK}:{settings.livekit_port}",
            "livekit_api_key": secrets.livekit_api_key,
            "livekit_api_secret": secrets.livekit_secret(),
        }
    )
