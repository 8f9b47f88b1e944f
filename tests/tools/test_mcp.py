"""Servers of the Model Context Protocol, with the protocol's own SDK at the other end: in a process, and over HTTP."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from agent.tools import mcp_connection
from agent.tools.spec import ToolSpecs
from agent.tools.untrusted import unwrap
from tests.support.stack import ROOT
from tests.tools.model_session import Calls, Script, TalkingModel, follow, last_output, talking, tool_events

SECRET = "s3cret-of-the-server"
ALL = {"reverse", "environment", "whoami", "slow", "die", "fail", "odd_name_2"}


def stdio(**more: Any) -> ToolSpecs:
    """The example as a program."""
    server = {"name": "example", "command": sys.executable, "args": ["-m", "tests.tools.mcp_example"], "cwd": str(ROOT)}
    return ToolSpecs.model_validate({"mcp": [{**server, **more}]})


@asynccontextmanager
async def ready(
    script: Script, specs: ToolSpecs, path: Path, environment: dict[str, str] | None = None
) -> AsyncIterator[TalkingModel]:
    """A call whose server is there."""
    async with talking(script, specs, path, environment=environment) as call:
        await call.until(lambda: bool(call.brain.assistant.tools), timeout=60)
        yield call


def children() -> list[psutil.Process]:
    """All that this process has started."""
    return psutil.Process().children(recursive=True)


async def until_gone(processes: list[psutil.Process], timeout: float = 20.0) -> None:
    """Wait until none of them runs."""
    gone = await asyncio.to_thread(psutil.wait_procs, processes, timeout)
    assert not gone[1]


async def test_a_program_gets_nothing_but_the_named_environment(tmp_path: Path) -> None:
    """Its tools are offered, its secret stays its own, and its process ends with the call."""
    script = follow(Calls("environment"), "a", Calls("whoami"), "b", Calls("reverse", {"text": "abc"}), "c")
    before = set(children())
    environment = {"KEY_OF_THE_PROFILE": SECRET, "OTHER": "not named"}
    specs = stdio(env={"API_KEY": "${KEY_OF_THE_PROFILE}"})
    async with ready(script, specs, tmp_path / "j.db", environment) as call:
        assert {tool.id for tool in call.brain.assistant.tools} == ALL
        await call.user("1")
        # LC_CTYPE is set by Python itself where there is no locale.
        assert set(unwrap(last_output(call.model.told[-1]).output).split()) - {"LC_CTYPE"} == {"API_KEY"}
        await call.user("2")
        pid, key = unwrap(last_output(call.model.told[-1]).output).split()
        assert psutil.pid_exists(int(pid))
        assert key == "[secret]"
        await call.user("3")
        assert unwrap(last_output(call.model.told[-1]).output) == "cba"
        started = [process for process in children() if process not in before]
        assert all(SECRET not in " ".join(process.cmdline()) for process in started)
    await until_gone(started)
    events = await tool_events(tmp_path / "j.db")
    assert [event.details["status"] for event in events] == ["started", "ok"] * 3


async def test_only_the_listed_tools_are_offered(tmp_path: Path) -> None:
    """Under the profile's prefix, with what the profile says of each."""
    specs = stdio(prefix="my_", tools={"reverse": {"writes": False}, "nothing": {}})
    async with ready(follow(Calls("my_reverse", {"text": "ab"}), "a"), specs, tmp_path / "j.db") as call:
        assert [tool.id for tool in call.brain.assistant.tools] == ["my_reverse"]
        await call.user("Go.")
        assert unwrap(last_output(call.model.told[-1]).output) == "ba"
    assert [event.details["status"] for event in await tool_events(tmp_path / "j.db")] == ["ok"]


async def test_a_server_that_dies_in_the_middle_of_a_call_is_started_again(tmp_path: Path) -> None:
    """The model is told that it broke off; a moment later the tools are there again."""
    options = {"die": {"writes": False}, "whoami": {"writes": False}}
    script = follow(Calls("whoami"), "a", Calls("die"), "It broke off.", Calls("whoami"), "b")
    async with ready(script, stdio(tools=options), tmp_path / "j.db") as call:
        await call.user("1")
        first = unwrap(last_output(call.model.told[-1]).output)
        await asyncio.wait_for(call.user("2"), 20)
        output = last_output(call.model.told[-1])
        assert output.is_error
        assert "broke off in the middle" in output.output
        assert call.said[-1] == "It broke off."
        await call.until(lambda: whoami_is_back(call, first), timeout=60)
    statuses = [event.details["status"] for event in await tool_events(tmp_path / "j.db")]
    assert statuses[:2] == ["ok", "unreachable"]
    assert statuses[-1] == "ok"


def whoami_is_back(call: TalkingModel, first: str) -> bool:
    """Ask for it, now and then, until another process answers."""
    answers = [unwrap(item.output) for item in call.session.history.items if item.type == "function_call_output"]
    if answers and answers[-1].strip().isdigit() and answers[-1] != first:
        return True
    if call.session.current_speech is None:
        call.model.script = follow(Calls("whoami"), "asked")
        call.session.generate_reply(user_input=call.message("Again."))
    return False


async def test_a_writing_call_that_breaks_off_is_unknown(tmp_path: Path) -> None:
    """Nothing is assumed of a server's tools: they write unless the profile says otherwise."""
    async with ready(follow(Calls("die"), "a"), stdio(), tmp_path / "j.db") as call:
        await call.user("Go.")
        assert "not known whether it took effect" in last_output(call.model.told[-1]).output
    assert [event.details["status"] for event in await tool_events(tmp_path / "j.db")] == ["started", "unknown"]


async def test_a_tool_that_fails_says_so(tmp_path: Path) -> None:
    """What it says is marked as the server's words."""
    async with ready(follow(Calls("fail"), "a"), stdio(), tmp_path / "j.db") as call:
        await call.user("Go.")
        output = last_output(call.model.told[-1])
    assert output.is_error
    assert output.output.startswith("The tool reports an error.\n<tool_result")
    assert "Error executing tool fail" in output.output


async def test_a_slow_tool_is_left_in_time(tmp_path: Path) -> None:
    """And the server is still there for the next call."""
    specs = stdio(tools={"slow": {"timeout_s": 0.5, "writes": False}, "reverse": {"writes": False}})
    script = follow(Calls("slow", {"seconds": 60}), "a", Calls("reverse", {"text": "ab"}), "b")
    async with ready(script, specs, tmp_path / "j.db") as call:
        await call.user("1")
        assert "no answer within 0.5 seconds" in last_output(call.model.told[-1]).output
        await call.user("2")
        assert unwrap(last_output(call.model.told[-1]).output) == "ba"


async def test_a_program_that_cannot_be_started_leaves_the_call_alone(tmp_path: Path) -> None:
    """The agent answers without its tools."""
    specs = ToolSpecs.model_validate({"mcp": [{"name": "nothing", "command": "no-such-program-here"}]})
    async with talking(follow("Hello."), specs, tmp_path / "j.db") as call:
        await call.user("Hello.")
        assert call.said == ["Hello."]
        assert call.model.offered == [[]]


async def test_a_program_that_never_answers_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It hangs at its start: it is ended and tried again, and none of it stays."""
    monkeypatch.setattr(mcp_connection, "START_TIMEOUT_S", 0.5)
    specs = ToolSpecs.model_validate({"mcp": [{"name": "hangs", "command": "sleep", "args": ["600"]}]})
    async with talking(follow("Hello."), specs, tmp_path / "j.db") as call:
        await call.until(lambda: caplog.text.count("it is started again") >= 2, timeout=60)
        await call.user("Hello.")
        assert call.said == ["Hello."]
    await until_gone([process for process in children() if "600" in process.cmdline()])


async def test_a_program_does_not_outlive_a_killed_call(tmp_path: Path) -> None:
    """The process of the call is killed with SIGKILL and could end nothing itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.tools.killed_server",
        str(tmp_path / "j.db"),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readline(), 60)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) == 2
    process.kill()
    await process.wait()
    await until_gone(family)


@asynccontextmanager
async def over_http(port: int) -> AsyncIterator[None]:
    """The example as a server on a port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.tools.mcp_example", str(port), cwd=ROOT, stderr=subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(60):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.1)
                else:
                    writer.close()
                    await writer.wait_closed()
                    break
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def http(port: int, **more: Any) -> ToolSpecs:
    """The example behind an address."""
    server = {"name": "example", "url": f"http://127.0.0.1:{port}/mcp", "allow_hosts": ["127.0.0.1"]}
    return ToolSpecs.model_validate({"mcp": [{**server, **more}]})


async def test_a_server_over_http_is_used_and_found_again_after_its_death(tmp_path: Path) -> None:
    """It dies in the middle of a call; when somebody has started it again, its tools work as before."""
    port = free_port()
    options = {"die": {"writes": False}, "whoami": {"writes": False}}
    async with talking(follow(), http(port, tools=options), tmp_path / "j.db") as call:
        async with over_http(port):
            await call.until(lambda: bool(call.brain.assistant.tools), timeout=60)
            call.model.script = follow(Calls("whoami"), "a", Calls("die"), "It broke off.")
            await call.user("1")
            first = unwrap(last_output(call.model.told[-1]).output)
            await asyncio.wait_for(call.user("2"), 30)
            assert "broke off in the middle" in last_output(call.model.told[-1]).output
        async with over_http(port):
            await call.until(lambda: whoami_is_back(call, first), timeout=60)


async def test_a_server_on_this_machine_must_be_listed(tmp_path: Path) -> None:
    """As for any tool: the address counts, and nothing is sent."""
    connections: list[str] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append("one")
        writer.close()

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    async with listener, talking(follow("Hello."), http(port, allow_hosts=[]), tmp_path / "j.db") as call:
        await call.user("Hello.")
        await asyncio.sleep(1.0)
        assert not call.brain.assistant.tools
    assert not connections


@pytest.mark.parametrize("environment", [{}, {"KEY": ""}])
async def test_a_missing_secret_of_a_server_is_named(tmp_path: Path, environment: dict[str, str]) -> None:
    """Before the call."""
    with pytest.raises(ValueError, match=r"'example': env API_KEY needs the environment variable KEY"):
        async with talking(follow(), stdio(env={"API_KEY": "${KEY}"}), tmp_path / "j.db", environment=environment):
            pass
