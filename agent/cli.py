"""The command line: `python -m agent dev | start | token | serve`."""

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
    from agent.worker import run_worker

    settings = settings_or_fail()
    configure_logging(settings.log_level)
    try:
        status = asyncio.run(run_worker(settings))
    except SettingsError as error:
        fail(str(error))
    raise typer.Exit(status)


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


@serve.command()
def models() -> None:
    """The local models behind the OpenAI API."""
    from agent.dev.models.server import create_models_app
    from agent.dev.serving import run_app
    from agent.logs import configure_logging

    settings = settings_or_fail()
    configure_logging(settings.log_level)
    run_app(create_models_app(threads=settings.local_model_threads), LOOPBACK, settings.models_port)


@serve.command()
def chat() -> None:
    """The chat server, room tokens and the page."""
    from agent.dev.chat.app import create_chat_app
    from agent.dev.secrets import load_dev_secrets
    from agent.dev.serving import run_app
    from agent.logs import configure_logging

    settings = settings_or_fail()
    configure_logging(settings.log_level)
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
