"""What pauses a recording: tools that are marked, and the model when it asks for something private."""

import asyncio
import sys
from pathlib import Path

import pytest

from agent.journal import SqliteJournal
from agent.recording.events import KIND
from agent.tools.spec import ToolSpecs
from agent.tools.untrusted import unwrap
from tests.support.stack import ROOT
from tests.tools.http_server import tool_server
from tests.tools.model_session import ANNOUNCEMENT, Calls, follow, last_output, talking
from tests.tools.specs import tool_spec

ON, OFF = Calls("sensitive_input", {"on": True}), Calls("sensitive_input", {"on": False})


async def told(journal: Path) -> list[tuple[object, object]]:
    """What the journal holds of the recording, and why."""
    with SqliteJournal(journal) as store:
        events = await store.events_of_conversation("c", KIND)
    return [(event.details["status"], event.details.get("why")) for event in events]


async def test_the_model_pauses_it_for_something_private(tmp_path: Path) -> None:
    """Twice asked for is one pause, and it ends when the model says so."""
    script = follow(ON, ON, "Your card number, please.", OFF, "Thank you.")
    async with talking(script, ToolSpecs(), tmp_path / "j.db", recorded_in=tmp_path / "a.ogg") as call:
        assert call.said == [ANNOUNCEMENT]
        await call.user("I would like to pay.")
        assert "The recording is paused." in unwrap(last_output(call.model.told[-1]).output)
        await call.user("It is 4 5 1.")
        assert call.model.offered[0] == ["sensitive_input"]
    assert await told(tmp_path / "j.db") == [
        ("started", None),
        ("paused", "sensitive_input"),
        ("resumed", "sensitive_input"),
        ("ended", None),
    ]


async def test_a_pause_that_the_model_forgets_lasts_to_the_end(tmp_path: Path) -> None:
    """Too little is recorded rather than too much."""
    async with talking(follow(ON, "Go on."), ToolSpecs(), tmp_path / "j.db", recorded_in=tmp_path / "a.ogg") as call:
        await call.user("I would like to pay.")
    assert await told(tmp_path / "j.db") == [("started", None), ("paused", "sensitive_input"), ("ended", None)]


@pytest.mark.parametrize("arguments", [{}, {"on": "true"}, {"on": True, "for_s": 3}])
async def test_what_the_model_gets_wrong_is_told_to_it(tmp_path: Path, arguments: dict[str, object]) -> None:
    """Nothing is paused by a guess."""
    script = follow(Calls("sensitive_input", arguments), "Sorry.")
    async with talking(script, ToolSpecs(), tmp_path / "j.db", recorded_in=tmp_path / "a.ogg") as call:
        await call.user("I would like to pay.")
        assert last_output(call.model.told[-1]).is_error
    assert await told(tmp_path / "j.db") == [("started", None), ("ended", None)]


async def test_a_sensitive_tool_inside_a_pause_does_not_end_it(tmp_path: Path) -> None:
    """It goes on when nothing pauses it any more."""
    async with tool_server() as server:
        card = tool_spec(server.url("/weather"), name="read_card", sensitive=True)
        script = follow(ON, Calls("read_card"), "Got it.", OFF, "Thank you.")
        specs = ToolSpecs(tools=[card])
        async with talking(script, specs, tmp_path / "j.db", recorded_in=tmp_path / "a.ogg") as call:
            await call.user("I would like to pay.")
            await call.user("Done.")
    assert [status for status, _ in await told(tmp_path / "j.db")] == ["started", "paused", "resumed", "ended"]


async def test_a_sensitive_tool_that_fails_ends_its_pause(tmp_path: Path) -> None:
    """So does one that never answers; others pause nothing."""
    async with tool_server() as server:
        specs = ToolSpecs(
            tools=[
                tool_spec(server.url("/held"), name="read_card", sensitive=True, timeout_s=0.2, retries=0),
                tool_spec(server.url("/weather")),
            ]
        )
        script = follow(Calls("get_weather"), Calls("read_card"), "It does not answer.")
        async with talking(script, specs, tmp_path / "j.db", recorded_in=tmp_path / "a.ogg") as call:
            await call.user("Read my card.")
            assert last_output(call.model.told[-1]).is_error
        server.release.set()
    assert await told(tmp_path / "j.db") == [
        ("started", None),
        ("paused", "read_card"),
        ("resumed", "read_card"),
        ("ended", None),
    ]


async def test_a_tool_of_a_server_is_marked_in_the_profile(tmp_path: Path) -> None:
    """Nothing that the server says counts."""
    server = {"name": "example", "command": sys.executable, "args": ["-m", "tests.tools.mcp_example"], "cwd": str(ROOT)}
    tools = {"reverse": {"writes": False, "sensitive": True}}
    specs = ToolSpecs.model_validate({"mcp": [{**server, "tools": tools}]})
    script = follow(Calls("reverse", {"text": "abc"}), "Done.")
    async with talking(script, specs, tmp_path / "j.db", recorded_in=tmp_path / "a.ogg") as call:
        async with asyncio.timeout(60):
            while len(call.brain.assistant.tools) < 2:
                await asyncio.sleep(0.05)
        await call.user("Reverse it.")
    assert ("paused", "reverse") in await told(tmp_path / "j.db")
