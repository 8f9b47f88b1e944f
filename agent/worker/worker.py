"""The worker: takes jobs from LiveKit and runs their calls in processes, a few in each."""

import asyncio
import logging
import math
import os
import signal
import ssl
from collections.abc import Coroutine, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cache

from livekit.agents import AgentServer, JobContext, JobProcess

from agent.aftercare.afterwards import Afterwards
from agent.call.call import Call
from agent.call.half_said import write_half_said
from agent.hosting import Hosts
from agent.job import Job
from agent.job.durable import durable
from agent.job.loading import load_job
from agent.journal import Journal, JournalError
from agent.journal.opening import OpenJournal, open_for_call, open_for_worker, open_leases
from agent.journal.upkeep import keep_pruned
from agent.leases import LeaseStore, RoomTaken, Tenancy, Tenure
from agent.logs import configure_logging, logs_are_of_call
from agent.metrics.call_watch import CallWatch
from agent.metrics.instrument import send_samples_to
from agent.metrics.pipe import SampleReceiver, send_samples_to_worker
from agent.metrics.registry import Registry
from agent.models import ConfiguredModels, LocalEars, build_models
from agent.models.source import check_models
from agent.providers import check_providers, load_plugins
from agent.recording.upkeep import keep_recordings
from agent.settings import Settings, SettingsError, load_settings
from agent.tracing.setup import send_spans
from agent.worker.delivery import LeftoverDelivery
from agent.worker.drain import Drain
from agent.worker.health import HealthServer
from agent.worker.job_requests import JobRequests
from agent.worker.livekit_link import is_registered, load_trust
from agent.worker.status import WorkerStatus
from agent.worker.takeover import Takeovers
from agent.worker.unanswered import Unanswered

logger = logging.getLogger("agent.worker")

# The conversation's last turns may take this long to reach the thread after the call (see Call); then the process goes.
JOB_SHUTDOWN_TIMEOUT_S = 20.0
# A process that takes longer to load is killed and another one started, for ever (livekit/agents 4857). The library's
# 10 s are too few for models on a cold disk or a busy machine; what hangs for a minute will not come.
JOB_START_TIMEOUT_S = 60.0
# A call that comes so near to its memory limit is worth a line in the log.
MEMORY_WARNED_AT = 0.7
# All that a first call imports, so that no import holds its event loop up: the second half are modules that the
# libraries import when they are first used.
PRELOADED = (
    "agent.call.call",
    "anyio._backends._asyncio",
    "livekit.agents.voice.report",
    "numpy.fft",
    "openai.lib._parsing._audio",
    "openai.resources.audio",
    "openai.resources.chat",
    "openai.resources.models",
)
# The library looks 50 times a second, in each call and from a thread beside it, whether an event loop is blocked. That
# is a twentieth of what a call costs; whoever looks for a block sets another number of milliseconds.
LOOP_MONITOR = ("LIVEKIT_AGENTS_LOOP_BLOCK_WARN_MS", "0")
# LiveKit that cannot be reached is no reason to end the worker and with it what it still has to deliver.
RECONNECTS = 2**31


def create_worker(settings: Settings, requests: JobRequests) -> AgentServer:
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
    check_providers(settings)
    memory_mb = settings.worker_call_memory_mb * settings.worker_calls_per_process
    server = AgentServer(
        ws_url=settings.livekit_url,
        api_key=settings.livekit_api_key,
        api_secret=settings.livekit_api_secret.get_secret_value(),
        # The library's own health check cannot be turned off; ours is what others ask (see health.py).
        host="127.0.0.1",
        port=0,
        num_idle_processes=settings.worker_idle_processes,
        # Whether a call is taken is for `JobRequests` to say. The library (1.8.9) would refuse some before it is asked,
        # with no trace, as it counts a call by guess and only until its process has it.
        load_threshold=math.inf,
        load_fnc=lambda: requests.intake.told,
        job_memory_limit_mb=memory_mb,
        job_memory_warn_mb=memory_mb * MEMORY_WARNED_AT,
        drain_timeout=settings.drain_seconds,
        max_retry=RECONNECTS,
        initialize_process_timeout=JOB_START_TIMEOUT_S,
        shutdown_process_timeout=JOB_SHUTDOWN_TIMEOUT_S,
        setup_fnc=prepare_process,
        preload_modules=list(PRELOADED),
        log_level=settings.log_level,
    )
    server.rtc_session(run_job, agent_name=settings.agent_name, on_request=requests.answer)
    requests.intake.follow(lambda: [running.job.id for running in server.active_jobs])
    return server


async def run_worker(settings: Settings) -> int:
    """Run until SIGTERM or Ctrl-C, then let running calls finish (at most `DRAIN_SECONDS`); returns the exit status.

    Raises:
        SettingsError: something that a worker cannot do without is missing, a model cannot be had, or the worker's port
            cannot be used.
    """
    await check_models(settings, ConfiguredModels(settings, ssl.create_default_context()))
    os.environ.setdefault(*LOOP_MONITOR)
    requests = JobRequests(settings)
    server = create_worker(settings, requests)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    registry = Registry()
    send_samples_to(registry.add)
    async with AsyncExitStack() as exits:
        try:
            await exits.enter_async_context(SampleReceiver(registry))
        except OSError as error:
            raise SettingsError(f"TMPDIR: no socket can be made there ({error.strerror or error})") from None
        status = WorkerStatus(server, settings, registry, stop.is_set, requests.intake)
        health = HealthServer(
            settings.worker_host,
            settings.worker_port,
            registered=lambda: is_registered(server),
            metrics=status.metrics,
        )
        try:
            await exits.enter_async_context(health)
        except OSError as error:
            raise SettingsError(f"WORKER_PORT: port {settings.worker_port} cannot be used ({error.strerror})") from None
        journal = await asyncio.to_thread(open_for_worker, settings.data_dir, settings.journal_url)
        exits.callback(journal.close)
        status.journal = journal
        leases = await asyncio.to_thread(open_leases, journal)
        if leases is not None:
            exits.callback(leases.close)
        afterwards = await exits.enter_async_context(Afterwards(settings, journal))
        delivery = LeftoverDelivery(settings, journal, requests.job_of)
        chores = (
            requests.intake.measure(),
            delivery.run(),
            keep_pruned(journal, settings.journal_days),
            keep_recordings(settings.recordings, settings.recording_days),
            *afterwards.chores(),
            *(_lookouts(settings, leases, journal, server, requests) if leases is not None else ()),
        )
        await exits.enter_async_context(Hosts(settings.worker_calls_per_process).serving())
        await _run_until(stop, server, health, Drain(settings, journal, delivery), chores)
        await afterwards.finish()
    return 0


def _lookouts(
    settings: Settings, leases: LeaseStore, journal: Journal, server: AgentServer, requests: JobRequests
) -> tuple[Coroutine[None, None, None], ...]:
    """Those who see to it that nobody is without an agent: after a call broke off, and where none was sent."""

    def registered() -> bool:
        return is_registered(server)

    return (
        Takeovers(settings, leases, journal, registered, requests.metadata_of, requests.intake.places).run(),
        Unanswered(settings, leases, registered, requests.intake.places).run(),
    )


async def _run_until(
    stop: asyncio.Event,
    server: AgentServer,
    health: HealthServer,
    drain: Drain,
    chores: Iterable[Coroutine[None, None, None]],
) -> None:
    """Serve and do the chores until `stop`; an error in any of them ends the worker, loudly."""
    async with asyncio.TaskGroup() as tasks:
        beside = [tasks.create_task(chore) for chore in chores]
        running = tasks.create_task(server.run())
        stopping = tasks.create_task(stop.wait())
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        health.draining = True
        if not running.done():
            await drain.calls(server)
        await server.aclose()
        await running
        await drain.turns()
        for task in (stopping, *beside):
            task.cancel()


@dataclass(frozen=True)
class _Loaded:
    """What all calls of a process share."""

    ears: LocalEars
    tls: ssl.SSLContext


@cache
def _load_process() -> _Loaded:
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format)
    load_plugins(settings)
    send_samples_to_worker()
    send_spans(settings)
    return _Loaded(LocalEars.load(), load_trust())


def prepare_process(process: JobProcess) -> None:
    """Load what a call needs before there is one, so that it begins at once; in a process for several calls, once."""
    loaded = _load_process()
    process.userdata["ears"] = loaded.ears
    process.userdata["tls"] = loaded.tls


async def run_job(context: JobContext) -> None:
    """Start one call; it ends by itself (see Call.end)."""
    watch = CallWatch()
    context.add_shutdown_callback(watch.ended)
    settings = load_settings()
    job = await load_job(context.job.metadata, settings)
    logs_are_of_call(context.job.id, job.conversation_id)
    journal = await asyncio.to_thread(open_for_call, settings.data_dir, settings.journal_url)
    try:
        tenure = await _take_room(context, job, journal)
    except RoomTaken as error:
        logger.warning("a call is not taken: %s", error, extra={"call_id": context.job.id})
        journal.close()
        context.shutdown(str(error))
        return
    source = ConfiguredModels(settings, context.proc.userdata["tls"])
    models = build_models(settings, job, context.proc.userdata["ears"], source)
    await Call(context, settings, job, models, journal, tenure).start()
    watch.ready()


async def _take_room(context: JobContext, job: Job, journal: OpenJournal) -> Tenure:
    leases = await asyncio.to_thread(open_leases, journal)
    tenancy = Tenancy(
        room=context.job.room.name,
        call_id=context.job.id,
        conversation_id=job.conversation_id,
        identity=context.local_participant_identity,
        dispatch_id=context.job.dispatch_id,
    )
    tenure = await Tenure.begin(leases, tenancy, durable(context.job.metadata))
    if tenure.lease is not None and tenure.resumes:
        try:
            await write_half_said(journal, tenure.lease)
        except JournalError as error:
            logger.error("what a call was cut off in is not written: %s", error)
    return tenure
