"""What a worker tells of its calls: metrics that add up over its processes, JSON lines, no word of what was said."""

import asyncio
import json
import os
import signal
import uuid
from pathlib import Path

import psutil
import pytest

from tests.support.caller import call
from tests.support.recordings import RECORDINGS
from tests.support.stack import RunningStack
from tests.support.worker import RunningWorker, running_worker

pytestmark = pytest.mark.asyncio(loop_scope="session")

AMIABLE = RECORDINGS["sense_and_sensibility_0930"]


@pytest.fixture
def conversation() -> str:
    """A conversation of its own."""
    return f"c_{uuid.uuid4().hex[:12]}"


async def test_a_call_is_counted_and_its_lines_say_which_it_was(
    stack: RunningStack, conversation: str, tmp_path: Path
) -> None:
    """Turns, latency, delivery and the call's end are in the metrics; each line of its process has its ids; no word is
    in either."""
    async with running_worker(stack, tmp_path, agent="counted", env={"LOG_FORMAT": "json"}) as worker:
        async with call(*worker.joined(conversation)) as caller:
            await caller.until_agent_speaks(0.0)
            await caller.until_agent_is_silent()
            spoken_at = await caller.say(*AMIABLE.load())
            await caller.until_agent_speaks(spoken_at)
            assert await worker.metric("voice_agent_calls_running") == 1
            await caller.until_agent_is_silent()
        await worker.until_metric(1, "voice_agent_calls_ended_total", reason="hung up")
        metrics = await worker.metrics()
        exposition = await worker.exposition()
        lines = [json.loads(line) for line in worker.log().splitlines()]

    def value(name: str, **labels: str) -> float:
        return metrics[name, frozenset(labels.items())]

    assert value("voice_agent_calls_running") == 0
    assert value("voice_agent_turns_total", speaker="user", channel="voice") == 1
    assert value("voice_agent_turns_total", speaker="assistant", channel="voice") == 2
    assert value("voice_agent_deliveries_total", carrier="call") == 3
    assert value("voice_agent_delivery_seconds_count") == 3
    assert value("voice_agent_journal_write_seconds_count") == 3
    assert value("voice_agent_outbox_turns") == 0
    for stage in ("transcription", "end_of_turn", "llm_first_token", "tts_first_byte", "total"):
        assert value("voice_agent_turn_latency_seconds_count", stage=stage) >= 1, stage
    assert value("voice_agent_jobs_total", answer="accepted") == 1
    assert value("voice_agent_ready") == 1
    started = next(line for line in lines if line["event"] == "call started")
    ended = next(line for line in lines if line["event"] == "call ended")
    assert started["conversation_id"] == ended["conversation_id"] == conversation
    assert started["call_id"] == ended["call_id"]
    for word in ("amiable", "disposed", conversation[2:]):
        assert word not in exposition
    assert "amiable" not in worker.log()


async def test_a_call_whose_process_is_killed_is_counted_as_ended_and_taken_over(
    stack: RunningStack, conversation: str, tmp_path: Path
) -> None:
    """The number of running calls is true again, and it is seen how long the person was alone."""
    async with (
        running_worker(stack, tmp_path, agent="killed", env={"WORKER_IDLE_PROCESSES": "0"}) as worker,
        call(*worker.joined(conversation)) as caller,
    ):
        await caller.until_agent_speaks(0.0)
        os.kill(await job_process(worker), signal.SIGKILL)
        await worker.until_metric(1, "voice_agent_calls_ended_total", reason="killed")
        await worker.until_metric(1, "voice_agent_takeovers_total", outcome="taken over")
        await worker.until_metric(1, "voice_agent_without_agent_seconds_count")
        await worker.until_metric(2, "voice_agent_calls_started_total")
        assert await worker.metric("voice_agent_calls_running") == 1


async def job_process(worker: RunningWorker) -> int:
    """The process of the one call that runs: the one that talks to LiveKit by UDP."""
    async with asyncio.timeout(10):
        while True:
            for child in psutil.Process(worker.process.pid).children(recursive=True):
                if any(c.type.name == "SOCK_DGRAM" for c in child.net_connections("inet")):
                    return child.pid
            await asyncio.sleep(0.1)
