"""Where replays run: the models, loaded once for any number of them, and time, real or virtual."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Self

from agent.call.core import brain_kind
from agent.job import Job
from agent.models import CallModels, LocalEars, ModelClients, ModelSource, OpenAIModels, build_models
from agent.replay import virtual_time
from agent.replay.performance import Performance
from agent.replay.stated_models import Heard, ModelThread, ModelTimes, StatedModels
from agent.settings import Settings, SettingsError

if TYPE_CHECKING:
    from agent.dev.models.in_process import LocalEngines

# Any number does; with one, every sample of the voice is the same in each run.
VOICE_SEED = 1

Play = Callable[[CallModels], Coroutine[Any, Any, Performance]]


class Studio(AbstractContextManager["Studio"]):
    """Runs replays one after the other.

    Local models work in this process, others over HTTP, as the settings name them.

    Args:
        settings: the worker's settings.
        fast: whether time jumps; `virtual_time.install` must have been called before livekit-agents was imported.
        times: how long the models take then.

    Raises:
        SettingsError: the settings name local models, and they are not installed.
    """

    def __init__(self, settings: Settings, *, fast: bool, times: ModelTimes | None = None) -> None:
        self._settings = settings
        self._times = times or ModelTimes()
        self._engines = _local_engines(settings) if settings.uses_local_models else None
        self._heard: Heard = {}
        self._ears = LocalEars.load()
        self._tls = ssl.create_default_context()
        self._thread = ModelThread() if fast else None

    def __enter__(self) -> Self:
        if self._engines is not None:
            self._run_where_models_work(self._engines.load())
        return self

    def __exit__(self, *_: object) -> None:
        if self._engines is not None:
            self._engines.close()
        if self._thread is not None:
            self._thread.close()

    def perform(self, job: Job, play: Play) -> Performance:
        """Run one replay.

        Args:
            job: what a dispatch would say.
            play: makes a call with these models and runs it.

        Raises:
            SettingsError: the settings or the job name what cannot be used here.
        """
        if brain_kind(self._settings, job) != "llm":
            raise SettingsError("the chat backend answers in this job, and a replay has none: use brain llm")

        async def main() -> Performance:
            return await play(build_models(self._settings, job, self._ears, self._source()))

        return asyncio.run(main()) if self._thread is None else virtual_time.run(main())

    def _source(self) -> ModelSource:
        source: ModelSource = OpenAIModels(ModelClients(self._settings, self._tls))
        if self._engines is not None:
            from agent.dev.models.in_process import InProcessModels

            source = InProcessModels(self._engines, source, virtual_time.now)
        return source if self._thread is None else StatedModels(source, self._times, self._thread, self._heard)

    def _run_where_models_work(self, work: Coroutine[Any, Any, None]) -> None:
        if self._thread is None:
            asyncio.run(work)
        else:
            self._thread.ask(work)


def _local_engines(settings: Settings) -> "LocalEngines":
    """Imported here: a production worker has no local models, and replays with others."""
    try:
        from agent.dev.models.in_process import LocalEngines
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"the local models are not installed here ({error.name}): STT_MODELS, LLM_MODELS and TTS_MODELS name others"
        ) from None
    return LocalEngines(settings.local_model_threads, VOICE_SEED)
