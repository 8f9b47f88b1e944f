"""A process that is killed with SIGKILL around a writing tool: the call is never repeated, and nobody is misled."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from agent.phrases import Phrase, say
from agent.tools.ledger import unfinished
from agent.tools.spec import ToolSpecs
from agent.turns import Kind
from tests.support.stack import ROOT
from tests.tools.http_server import ToolServer, tool_server
from tests.tools.model_session import Calls, follow, last_output, talking, tool_events
from tests.tools.specs import tool_spec


async def kill_a_call(server: ToolServer, journal: Path, when: str) -> None:
    """Run a call in a process of its own until it is killed in the middle of its tool."""
    path = "/held" if when == "running" else "/echo"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.tools.killed_call", server.url(path), str(journal), when, cwd=ROOT
    )
    await asyncio.wait_for(server.arrived.wait(), 60)
    if when == "running":
        process.kill()
    assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL


@pytest.mark.parametrize("when", ["running", "recording"])
async def test_a_killed_writing_call_is_reported_and_not_repeated(tmp_path: Path, when: str) -> None:
    """Whether it was killed before the answer or between the answer and its record: the outcome is unknown."""
    journal = tmp_path / "j.db"
    async with tool_server() as server:
        await kill_a_call(server, journal, when)
        specs = ToolSpecs(tools=[tool_spec(server.url("/echo"), name="book_table", method="POST")])
        book = Calls("book_table")
        script = follow(book, "It may be booked already. Shall I try again?", book, "Booked.")
        async with talking(script, specs, journal, call_id="next") as call:
            await call.until(lambda: bool(call.announced))
            note = call.announced[0]
            assert note.kind is Kind.TOOL
            assert note.text == f"book_table: {say(Phrase.UNKNOWN_OUTCOME, 'en')}"
            await call.user("Is my table booked?")
            assert any(note.text in str(item) for item in call.model.told[0])
            assert "not known whether an earlier call" in last_output(call.model.told[-1]).output
            assert len(server.received) == 1
            await call.user("Yes, go ahead.")
            assert len(server.received) == 2
        async with talking(follow("Hello."), specs, journal, call_id="third") as call:
            await call.user("Hello.")
            assert {turn.kind for turn in call.conversation.turns} == {Kind.SPEECH}
    events = await tool_events(journal)
    assert [event.details["status"] for event in events] == ["started", "asked", "started", "ok", "unknown"]
    assert not unfinished(events, lambda _: False)


async def test_a_call_that_still_runs_is_not_taken_for_a_dead_one(tmp_path: Path) -> None:
    """Another call of the same conversation, in another process, is in the middle of its tool."""
    journal = tmp_path / "j.db"
    async with tool_server() as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.tools.killed_call", server.url("/held"), str(journal), "running", cwd=ROOT
        )
        await asyncio.wait_for(server.arrived.wait(), 60)
        async with talking(follow("Hello."), ToolSpecs(), journal, call_id="other") as call:
            await call.user("Hello.")
            assert {turn.kind for turn in call.conversation.turns} == {Kind.SPEECH}
        server.release.set()
        assert await asyncio.wait_for(process.wait(), 60) == 0
    assert [event.details["status"] for event in await tool_events(journal)] == ["started", "ok"]
