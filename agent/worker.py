"""The worker: takes jobs from LiveKit and runs each call in a process of its own."""

import asyncio
import logging
import signal

from livekit.agents import AgentServer, JobContext, JobProcess, JobRequest

from agent.call import Call
from agent.job import JobError, parse_job
from agent.journal import Journal, JournalError
from agent.logs import configure_logging
from agent.models import build_models, load_vad
from agent.settings import Settings, SettingsError, load_settings

logger = logging.getLogger("agent.worker")

# The conversation's last turns may take this long to reach the thread after the call (see Call); then the process goes.
JOB_SHUTDOWN_TIMEOUT_S = 20.0


def create_worker(settings: Settings) -> AgentServer:
    """The livekit-agents server with our job functions, not yet running.

    Raises:
        SettingsError: something that a worker cannot do without is missing.
    """
    for name, value in (
        ("LIVEKIT_URL", settings.livekit_url),
        ("LIVEKIT_API_KEY", settings.livekit_api_key),
        ("LIVEKIT_API_SECRET", settings.livekit_api_secret.get_secret_value()),
    ):
        if not value:
            raise SettingsError(f"{name} is not set: the worker needs it to reach LiveKit (see .env.example)")
    server = AgentServer(
        ws_url=settings.livekit_url,
        api_key=settings.livekit_api_key,
        api_secret=settings.livekit_api_secret.get_secret_value(),
        host=settings.worker_host,
        port=settings.worker_port,
        num_idle_processes=settings.worker_idle_processes,
        load_threshold=settings.worker_max_load,
        drain_timeout=settings.drain_seconds,
        shutdown_process_timeout=JOB_SHUTDOWN_TIMEOUT_S,
        setup_fnc=prepare_process,
        preload_modules=["agent.call"],
        log_level=settings.log_level,
    )
    server.rtc_session(run_job, agent_name=settings.agent_name, on_request=answer_request)
    return server


async def run_worker(settings: Settings) -> int:
    """Run until SIGTERM or Ctrl-C, then let running calls finish (at most `DRAIN_SECONDS`); returns the exit status."""
    server = create_worker(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    running = asyncio.create_task(server.run())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not running.done() and settings.drain_seconds:
        try:
            await server.drain()
        except TimeoutError:
            logger.warning("calls were still running after %d s and are ended", settings.drain_seconds)
    await server.aclose()
    await running
    return 0


def prepare_process(process: JobProcess) -> None:
    """Load what a call needs before there is one, so that it begins at once."""
    configure_logging(load_settings().log_level)
    process.userdata["vad"] = load_vad()


async def answer_request(request: JobRequest) -> None:
    """Take a job whose metadata can be used; refuse any other, naming what is wrong."""
    try:
        job = parse_job(request.job.metadata)
    except JobError as error:
        logger.error("job refused: %s", error, extra={"job_id": request.id})
        await request.reject()
        return
    await request.accept(name=job.agent.name)


async def run_job(context: JobContext) -> None:
    """Start one call; it ends by itself (see Call.end)."""
    settings = load_settings()
    job = parse_job(context.job.metadata)
    models = build_models(settings, job, context.proc.userdata["vad"])
    call = Call(context, settings, job, models, await asyncio.to_thread(_open_journal, settings))
    await call.start()


def _open_journal(settings: Settings) -> Journal:
    try:
        return Journal(settings.data_dir / "journal.db")
    except JournalError as error:
        logger.error("%s; this call's turns are kept in memory only", error)
        return Journal(None)
