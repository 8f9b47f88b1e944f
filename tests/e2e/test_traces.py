"""Traces of a call: the stages of each turn from the first sound to the thread's acknowledgement, without content."""

import asyncio
import uuid
from pathlib import Path

import pytest

from tests.support.caller import call
from tests.support.recordings import RECORDINGS
from tests.support.stack import RunningStack
from tests.support.trace_collector import attributes, trace_collector
from tests.support.worker import running_worker

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECRET = "collector-secret-4711"
SAID = RECORDINGS["sense_and_sensibility_0930"]
TYPED = "My name is Zebediah."


async def test_a_turn_can_be_followed_across_its_stages_and_no_word_is_in_its_spans(
    stack: RunningStack, tmp_path: Path
) -> None:
    """The library's spans and ours are one trace for each call; what was said, typed, answered and asked for is not in
    them, nor anybody's name."""
    conversation = f"c_{uuid.uuid4().hex[:12]}"
    async with trace_collector() as collector:
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{SECRET}",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        async with running_worker(stack, tmp_path, agent="traced", env=env) as worker:
            async with call(*worker.joined(conversation, "Zebediah")) as caller:
                await caller.until_agent_speaks(0.0)
                await caller.until_agent_is_silent()
                spoken_at = await caller.say(*SAID.load())
                await caller.until_agent_speaks(spoken_at)
                await caller.until_agent_is_silent()
                await caller.send_text(TYPED)
                await stack.until_thread(conversation, 5, "Zebediah")
            async with asyncio.timeout(30):
                while not collector.named("job_entrypoint"):
                    await asyncio.sleep(0.1)
            log = worker.log()
        thread = await stack.thread(conversation, "Zebediah")
    assert {span.trace_id for span in collector.spans} == {collector.named("job_entrypoint")[0].trace_id}
    turns = {str(attributes(span)["turn.id"]): span for span in collector.named("turn")}
    assert set(turns) == {message["id"] for message in thread}
    for name in ("journal.write", "chat.delivery"):
        assert {s.parent_span_id for s in collector.named(name)} == {s.span_id for s in turns.values()}, name
    assert all(attributes(s)["turn.acknowledged"] for s in collector.named("chat.delivery"))
    assert {"user_turn", "agent_turn", "llm_request", "tts_request"} <= {span.name for span in collector.spans}
    text = collector.raw.decode("utf-8", "replace").lower()
    for word in ("amiable", "disposed", "zebediah", "you said", "hello!", "voice assistant", conversation):
        assert word not in text
        assert word == conversation or word not in log.lower()
    assert all(headers["authorization"] == f"Bearer {SECRET}" for headers in collector.headers)
    assert SECRET not in log
