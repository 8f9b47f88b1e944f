"""A deploy ends the old worker: its call goes on, new ones go elsewhere, nothing is left undelivered, status 0."""

import asyncio
import signal
import time
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.caller import Caller, call
from tests.support.recordings import RECORDINGS
from tests.support.stack import RunningStack
from tests.support.tcp_proxy import TcpProxy
from tests.support.worker import free_port, running_worker

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLUBS = RECORDINGS["card_003"]
# A caller who waits for workers to start is not to be asked whether somebody is there.
PATIENT = {"silence": {"prompts": 0}}


def new_conversation() -> str:
    """A conversation of its own."""
    return f"c_{uuid.uuid4().hex[:12]}"


async def test_a_call_goes_on_to_its_end_while_new_ones_go_elsewhere(stack: RunningStack, tmp_path: Path) -> None:
    """After SIGTERM the old worker is alive and not ready; its caller is heard and answered; a second caller gets the
    new worker; when the first hangs up, the old worker ends with status 0 and the thread is complete."""
    first, second = new_conversation(), new_conversation()
    async with running_worker(stack, tmp_path / "old", agent="deployed") as old:
        async with call(*old.joined(first, job=PATIENT)) as caller:
            await greeted(caller)
            async with running_worker(stack, tmp_path / "new", agent="deployed") as new:
                old.process.send_signal(signal.SIGTERM)
                await old.until_status("/readyz", 503)
                assert await old.status("/livez") == 200
                assert await old.metric("voice_agent_draining") == 1
                async with call(*new.joined(second)) as other:
                    await greeted(other)
                assert await new.metric("voice_agent_jobs_total", answer="accepted") == 1
                assert await old.metric("voice_agent_jobs_total", answer="accepted") == 1
            spoken_at = await caller.say(*CLUBS.load())
            await caller.until_agent_speaks(spoken_at)
            await caller.until_agent_is_silent()
            assert old.process.poll() is None
        assert await old.ended() == 0, old.log()
    thread = await stack.thread(first)
    assert [(m["role"], m["channel"]) for m in thread] == [
        ("assistant", "voice"),
        ("user", "voice"),
        ("assistant", "voice"),
    ]
    assert "clubs" in thread[1]["text"].lower()


async def test_a_call_that_is_longer_than_the_limit_is_ended_in_order(stack: RunningStack, tmp_path: Path) -> None:
    """After DRAIN_SECONDS the agent leaves, what was said is in the thread, and the status is 0 all the same."""
    conversation = new_conversation()
    async with (
        running_worker(stack, tmp_path, agent="limited", env={"DRAIN_SECONDS": "3"}) as worker,
        call(*worker.joined(conversation)) as caller,
    ):
        await greeted(caller)
        gone = asyncio.Event()
        caller.room.on("participant_disconnected", lambda *_: gone.set())
        caller.room.on("disconnected", lambda *_: gone.set())
        asked_at = time.monotonic()
        worker.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(gone.wait(), 30)
        assert time.monotonic() - asked_at >= 3
        assert await worker.ended() == 0, worker.log()
    assert "calls were still running when the time to drain was over" in worker.log()
    assert len(await stack.thread(conversation)) == 1


async def test_turns_that_could_not_be_delivered_are_delivered_before_the_worker_ends(
    stack: RunningStack, tmp_path: Path
) -> None:
    """The chat was away until the worker was told to end; its long pause between attempts is cut short."""
    conversation = new_conversation()
    chat = urlsplit(stack.chat)
    assert chat.port is not None
    async with TcpProxy(chat.port) as proxy:
        proxy.refuse()
        env = {"CHAT_API_URL": f"ws://127.0.0.1:{proxy.port}{chat.path}"}
        async with running_worker(stack, tmp_path, agent="delivers", env=env) as worker:
            async with call(*worker.joined(conversation)) as caller:
                await greeted(caller)
            await worker.until_metric(1, "voice_agent_calls_ended_total", reason="hung up")
            assert await worker.metric("voice_agent_outbox_turns") == 1
            assert await worker.metric("voice_agent_outbox_age_seconds") > 0
            refused = proxy.faults["refused"]
            async with asyncio.timeout(60):
                while proxy.faults["refused"] == refused:  # the worker has tried, and pauses
                    await asyncio.sleep(0.1)
            proxy.resume()
            worker.process.send_signal(signal.SIGTERM)
            assert await worker.ended() == 0, worker.log()
    assert len(await stack.thread(conversation)) == 1


async def test_only_livekit_decides_whether_a_worker_is_ready_and_nothing_elsewhere_whether_it_is_alive(
    stack: RunningStack, tmp_path: Path
) -> None:
    """Without chat and without models it is ready; without LiveKit it is alive and not ready, and ready again after."""
    nowhere = free_port()
    livekit = urlsplit(stack.livekit)
    assert livekit.port is not None
    async with TcpProxy(livekit.port) as proxy:
        env = {
            "LIVEKIT_URL": f"ws://127.0.0.1:{proxy.port}",
            "CHAT_API_URL": f"ws://127.0.0.1:{nowhere}/ws/v1/",
            "MODELS_PORT": str(nowhere),
        }
        async with running_worker(stack, tmp_path, agent="lonely", env=env) as worker:
            assert await worker.status("/livez") == 200
            proxy.refuse()
            proxy.drop()
            await worker.until_status("/readyz", 503)
            assert await worker.status("/livez") == 200
            assert await worker.metric("voice_agent_ready") == 0
            proxy.resume()
            await worker.until_status("/readyz", 200)
            worker.process.send_signal(signal.SIGTERM)
            assert await worker.ended() == 0, worker.log()


async def greeted(caller: Caller) -> None:
    """Wait until the agent has greeted."""
    await caller.until_agent_speaks(0.0)
    await caller.until_agent_is_silent()
