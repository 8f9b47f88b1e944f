"""Tools in real calls: a profile describes them, a real server answers, the agent says it and the thread holds it."""

import asyncio
import json
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from agent.journal import SqliteJournal
from agent.phrases import Phrase, say
from agent.tools.ledger import KIND
from tests.e2e.test_call import greeted, joined
from tests.support.caller import HEARD_RATE, call
from tests.support.ears import transcribe_samples
from tests.support.stack import ROOT, RunningStack, running_stack
from tests.support.wer import word_error_rate, words
from tests.tools.http_server import ToolServer, tool_server

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECRET = "planted-s3cret-0451"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@dataclass
class Office:
    """The stack, and the server that the tools of its profile reach."""

    stack: RunningStack
    server: ToolServer


def profile(server: ToolServer) -> dict[str, object]:
    """An agent with tools of all kinds."""
    shared = {"description": "x", "allow_hosts": ["127.0.0.1"], "headers": {"Authorization": "Bearer ${OFFICE_TOKEN}"}}
    return {
        "tools": [
            {**shared, "name": "get_weather", "url": server.url("/weather"), "parameters": CITY, "note": True},
            {**shared, "name": "get_slow_report", "url": server.url("/held"), "timeout_s": 60},
            {**shared, "name": "book_table", "method": "POST", "url": server.url("/held"), "timeout_s": 60},
        ],
        "mcp": [
            {
                "name": "example",
                "command": str(ROOT / ".venv" / "bin" / "python"),
                "args": ["-m", "tests.tools.mcp_example"],
                "cwd": str(ROOT),
                "tools": {"reverse": {"writes": False}},
            }
        ],
    }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """A stack with the profile `office`."""
    folder = tmp_path_factory.mktemp("office")
    async with tool_server() as server:
        (folder / "office.yaml").write_text(json.dumps(profile(server)))  # which is YAML, without anchors
        env = {"PROFILES": str(folder), "OFFICE_TOKEN": SECRET}
        async with running_stack(folder / "stack", env) as stack:
            yield Office(stack, server)


@pytest.fixture
def conversation() -> str:
    """A conversation of its own."""
    return f"c_{uuid.uuid4().hex[:12]}"


async def test_a_typed_question_is_answered_with_a_tool(office: Office, conversation: str) -> None:
    """The answer is spoken and stands in the thread, the result beside it as a note; the secret stands nowhere."""
    async with call(*await joined(office.stack, conversation, job={"agent": "office"})) as caller:
        await greeted(caller)
        asked_at = time.monotonic()
        await caller.send_text("What is the weather in Paris?")
        await caller.until_agent_speaks(asked_at)
        await caller.until_agent_is_silent()
        heard = await transcribe_samples(office.stack.models, caller.heard.samples(asked_at), HEARD_RATE)
    thread = await office.stack.until_thread(conversation, 4)
    said = "The result of get weather is: city Paris, temperature 21."
    assert [(message["text"], message.get("kind")) for message in thread[1:]] == [
        ("What is the weather in Paris?", None),
        ('get_weather: {"city": "Paris", "temperature": 21}', "tool"),
        (said, None),
    ]
    assert word_error_rate("the result of get weather is city Paris temperature 21", heard) <= 0.4, heard
    assert office.server.received[-1].headers["Authorization"] == f"Bearer {SECRET}"
    files = b"".join(path.read_bytes() for path in office.stack.data_dir.rglob("*") if path.is_file())
    assert SECRET.encode() not in files
    assert "get_weather" in files.decode(errors="replace")


async def test_a_slow_tool_is_spoken_of(office: Office, conversation: str) -> None:
    """The person hears that it takes a while, once, and then the answer."""
    office.server.release.clear()
    async with call(*await joined(office.stack, conversation, job={"agent": "office"})) as caller:
        await greeted(caller)
        await caller.send_text("Get me the slow report.")
        thread = await office.stack.until_thread(conversation, 3)
        assert thread[2]["text"] == say(Phrase.STILL_WORKING, "en")
        office.server.release.set()
        thread = await office.stack.until_thread(conversation, 4)
        await caller.until_agent_is_silent()
    assert words(thread[3]["text"]) == words("The result of get slow report is: done True.")


async def test_a_tool_of_a_server_is_called(office: Office, conversation: str) -> None:
    """The program is started with the call and ends with it."""
    result = "The result of reverse is: cba."
    async with call(*await joined(office.stack, conversation, job={"agent": "office"})) as caller:
        await greeted(caller)
        async with asyncio.timeout(60):
            while not any("mcp_example" in " ".join(command) for command in office.stack.commands().values()):
                await asyncio.sleep(0.2)
        thread = await office.stack.until_thread(conversation, 1)
        async with asyncio.timeout(60):
            while thread[-1]["text"] != result:  # the program runs, and is asked what it can
                await caller.send_text("Reverse this for abc.")
                thread = await office.stack.until_thread(conversation, len(thread) + 2)
    assert [message["text"] for message in thread].count(result) == 1


async def test_a_killed_call_tells_the_next_one_what_is_not_known(office: Office, conversation: str) -> None:
    """The process is killed with SIGKILL while it books: it is not booked again, and the thread says that."""
    office.server.release.clear()
    office.server.arrived.clear()
    before = len(office.server.received)
    async with call(*await joined(office.stack, conversation, job={"agent": "office"})) as caller:
        await greeted(caller)
        await caller.send_text("Book table now.")
        await asyncio.wait_for(office.server.arrived.wait(), 60)
        with SqliteJournal(office.stack.data_dir / "journal.db") as journal:
            (begun,) = await journal.events_of_conversation(conversation, KIND)
        os.kill(int(begun.details["pid"] or 0), signal.SIGKILL)
    async with call(*await joined(office.stack, conversation, job={"agent": "office"})) as caller:
        async with asyncio.timeout(60):
            while not (notes := [m for m in await office.stack.thread(conversation) if m.get("kind") == "tool"]):
                await asyncio.sleep(0.2)
    assert [note["text"] for note in notes] == [f"book_table: {say(Phrase.UNKNOWN_OUTCOME, 'en')}"]
    assert len(office.server.received) == before + 1
