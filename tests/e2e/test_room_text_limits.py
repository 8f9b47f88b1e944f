"""Text in the room has limits: what is over them is dropped and counted, and the call goes on."""

import asyncio
import uuid
from pathlib import Path

import pytest

from agent.brains.typed_messages import BURST, MAX_CHARACTERS
from tests.support.caller import call
from tests.support.stack import RunningStack
from tests.support.worker import running_worker

pytestmark = pytest.mark.asyncio(loop_scope="session")

REFUSED = "voice_agent_inputs_refused_total"


async def test_a_flood_and_a_giant_are_refused_and_the_call_goes_on(stack: RunningStack, tmp_path: Path) -> None:
    """A text that is too long is no turn; of a hundred at once a few are; what comes after at a person's pace is
    answered."""
    conversation = f"c_{uuid.uuid4().hex[:12]}"
    async with (
        running_worker(stack, tmp_path, agent="limits") as worker,
        call(*worker.joined(conversation)) as caller,
    ):
        await caller.until_agent_speaks(0.0)
        await caller.send_text("x" * (MAX_CHARACTERS + 1))
        await worker.until_metric(1, REFUSED, input="room text length")
        await asyncio.gather(*(caller.send_text(f"flood {n}") for n in range(100)))
        await worker.until_metric(100 - 3 * BURST, REFUSED, input="room text rate")
        async with asyncio.timeout(60):
            while not any("last" in m["text"] for m in await stack.thread(conversation)):
                await caller.send_text("This is the last one.")
                await asyncio.sleep(1.5)
        thread = await stack.thread(conversation)
    assert not any("xxxx" in m["text"] for m in thread)
    assert sum(m["text"].startswith("flood") for m in thread) <= 3 * BURST
    assert "flood" not in worker.log()
