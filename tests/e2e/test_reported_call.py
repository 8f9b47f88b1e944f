"""From a real call to its report, its summary and its webhook, and the same for a call whose process is killed."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from agent.worker.takeover import DIED
from tests.support.caller import Caller, call
from tests.support.known_models import COMPLETION_TOKENS, PROMPT_TOKENS, KnownModels, known_models
from tests.support.recordings import RECORDINGS
from tests.support.stack import ROOT, RunningStack, running_stack
from tests.support.webhook_receiver import SECRET, Receiver, webhook_receiver

pytestmark = pytest.mark.asyncio(loop_scope="session")

SUMMARY = "The caller said something amiable and was told that all is well."
PRICES = '["known/think"]\ninput_per_million_tokens = 100\noutput_per_million_tokens = 100\n'


@dataclass(frozen=True)
class Told:
    """A stack whose calls are told to a receiver, with a language model whose use is known."""

    stack: RunningStack
    receiver: Receiver
    models: KnownModels

    async def until(self, conversation: str, holds: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """Wait until what was told of a conversation is enough."""
        async with asyncio.timeout(60):
            while not holds(events := self.of(conversation)):
                await asyncio.sleep(0.1)
        return events

    def of(self, conversation: str) -> list[dict[str, Any]]:
        """What was told of a conversation, in order."""
        return [e for e in self.receiver.events if e["data"]["conversation_id"] == conversation]

    async def report(self, call_id: str) -> dict[str, Any]:
        """What `python -m agent report --json` says."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "agent", "report", call_id, "--json",
            cwd=ROOT, env={**os.environ, "DATA_DIR": str(self.stack.data_dir)}, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        printed, _ = await process.communicate()
        assert process.returncode == 0
        data: dict[str, Any] = json.loads(printed)
        return data

    def pid_of(self, call_id: str) -> int:
        """The process that a call runs in."""
        with sqlite3.connect(self.stack.data_dir / "journal.db") as db:
            row = db.execute("SELECT pid FROM call_processes WHERE call_id = ?", (call_id,)).fetchone()
        return int(row[0])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Told]:
    folder: Path = tmp_path_factory.mktemp("told")
    (folder / "prices.toml").write_text(PRICES)
    async with webhook_receiver() as receiver, known_models() as models:
        models.summary = json.dumps({"summary": SUMMARY})
        env = {
            "WEBHOOK_URL": receiver.url,
            "WEBHOOK_SECRET": SECRET,
            "PRICES_FILE": str(folder / "prices.toml"),
            "LLM_MODELS": "known/think",
            "KNOWN_BASE_URL": models.base_url,
        }
        async with running_stack(folder / "data", env) as stack:
            yield Told(stack, receiver, models)


@pytest.fixture
def conversation() -> str:
    """A conversation of its own."""
    return f"c_{uuid.uuid4().hex[:12]}"


async def joined(told: Told, conversation: str, **job: Any) -> tuple[str, str]:
    given = await told.stack.room_token(conversation, job=job)
    return given["url"], given["token"]


def types_of(events: list[dict[str, Any]], call_id: str) -> list[str]:
    return [event["type"] for event in events if event["data"]["call_id"] == call_id]


async def greeted(caller: Caller) -> None:
    await caller.until_agent_speaks(0.0)
    await caller.until_agent_is_silent()


async def test_a_call_is_told_summed_up_and_reported(told: Told, conversation: str) -> None:
    """The receiver learns of the beginning, each turn and the end, with what it used and a summary; so does the
    report, with the same figures."""
    async with call(*await joined(told, conversation, summary={})) as caller:
        await greeted(caller)
        spoken_at = await caller.say(*RECORDINGS["sense_and_sensibility_0930"].load())
        await caller.until_agent_speaks(spoken_at)
        await caller.until_agent_is_silent()
    events = await told.until(conversation, lambda events: events[-1:] != [] and events[-1]["type"] == "call.ended")
    assert [event["type"] for event in events] == ["call.started", "turn", "turn", "turn", "call.ended"]
    thread = await told.stack.until_thread(conversation, 3)
    told_turns = [event["data"]["turn"] for event in events if event["type"] == "turn"]
    assert [(turn["id"], turn["text"]) for turn in told_turns] == [(m["id"], m["text"]) for m in thread]

    end = events[-1]["data"]
    assert (end["state"], end["turns"], end["summary"]["text"]) == ("ended", 3, SUMMARY)
    assert (end["summary"]["made_by"], end["summary"]["model"]) == ("model", "known/think")
    used = {(m["stage"], m["purpose"]): m for m in end["usage"]["models"]}
    assert used["llm", "summary"]["input_tokens"] == PROMPT_TOKENS
    thought = used["llm", "call"]
    whole = thought["requests"] - thought["unreported"]
    assert whole >= 1
    assert (thought["input_tokens"], thought["output_tokens"]) == (whole * PROMPT_TOKENS, whole * COMPLETION_TOKENS)
    assert used["stt", "call"]["audio_seconds"] > 1
    assert used["tts", "call"]["characters"] >= len(told_turns[0]["text"]) + len(told_turns[2]["text"])
    tokens = (whole + 1) * (PROMPT_TOKENS + COMPLETION_TOKENS)
    assert end["usage"]["cost"]["amount"] == pytest.approx(tokens * 100 / 1e6)

    report = await told.report(end["call_id"])
    assert report["usage"] == end["usage"]
    assert report["summary"] == end["summary"]
    assert [turn["id"] for turn in report["turns"]] == [turn["id"] for turn in told_turns]
    assert report["delivery"] == {"turns": 3, "undelivered": 0}
    assert report["turns"][2]["wait_ms"] > 0
    assert [finding["weight"] for finding in report["findings"] if finding["weight"] == "bad"] == []


async def test_a_killed_call_is_told_as_such_and_reported_so(told: Told, conversation: str) -> None:
    """What was said until then is there, the end says that its process died, and another call goes on."""
    async with call(*await joined(told, conversation)) as caller:
        await greeted(caller)
        events = await told.until(conversation, lambda events: len(events) >= 2)
        call_id = events[0]["data"]["call_id"]
        os.kill(told.pid_of(call_id), signal.SIGKILL)
        events = await told.until(conversation, lambda events: "call.ended" in types_of(events, call_id))
    events = [event for event in events if event["data"]["call_id"] == call_id]  # another call has taken over
    assert types_of(events, call_id) == ["call.started", "turn", "call.ended"]
    # Whoever notices first: the takeover, which says why, or the one who settles calls, to whom it is lost.
    assert (events[-1]["data"]["state"], events[-1]["data"]["reason"]) in (("ended", DIED), ("lost", None))
    report = await told.report(call_id)
    assert report["call"]["reason"] in (DIED, None)


async def test_nothing_that_was_said_is_in_the_log(told: Told) -> None:
    """Neither words of the calls, nor the summary, nor the webhook's secret."""
    log = told.stack.log()
    for words in ("amiable", "All is well", SECRET, SECRET.removeprefix("whsec_")):
        assert words not in log
