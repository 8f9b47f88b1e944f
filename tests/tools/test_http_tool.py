"""Calls of HTTP tools against a real server: limits of size and time, repetitions, sign-in, and what stays secret."""

import resource
import time
from typing import Any

import pytest

from agent.tools.failure import Status, ToolFailure
from agent.tools.http_tool import HttpTool
from agent.tools.secrets import ToolConfigError
from tests.tools.http_server import tool_server
from tests.tools.specs import CITY, http_tool, tool_spec

ORDER = {
    "type": "object",
    "properties": {
        "order": {"type": "string"},
        "amount": {"type": "integer", "minimum": 1},
        "dry_run": {"type": "boolean"},
        "tenant": {"type": "string"},
    },
    "required": ["order", "amount"],
}
SECRET = "s3cret-of-the-crm"
AUTH = {"type": "oauth2_client_credentials", "client_id": "agent", "client_secret": "${CRM_SECRET}", "scope": "book"}


async def failure_of(tool: HttpTool, arguments: dict[str, Any] | None = None) -> ToolFailure:
    """How a call fails."""
    with pytest.raises(ToolFailure) as failure:
        await tool.run(arguments or {}, "key")
    return failure.value


async def test_arguments_stand_where_the_profile_puts_them() -> None:
    """In the path, the query, a header and the JSON body, each escaped for its place; the key goes along."""
    async with tool_server() as server:
        spec = tool_spec(
            server.url("/echo/orders/{order}?fixed=1"),
            method="POST",
            parameters=ORDER,
            places={"dry_run": "query", "tenant": "header X-Tenant"},
            idempotency_header="Idempotency-Key",
        )
        async with http_tool(spec) as tool:
            result = await tool.run({"order": "7/8?a=b#c", "amount": 3, "dry_run": True, "tenant": "Ünit 5"}, "key-1")
        got = server.received[0]
        assert '"path": "/echo/orders/7%2F8%3Fa%3Db%23c?fixed=1&dry_run=true"' in result.text
        assert got.query == {"fixed": "1", "dry_run": "true"}
        assert got.body == {"amount": 3}
        assert got.headers["X-Tenant"] == "Ünit 5"
        assert got.headers["Idempotency-Key"] == "key-1"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({}, "required"),
        ({"order": "a", "amount": 0}, "minimum"),
        ({"order": "a", "amount": "3"}, "amount"),
        ({"order": "a", "amount": 1, "admin": True}, "admin"),
        ({"order": "..", "amount": 1}, "order"),
        ({"order": "a/../../b", "amount": 1}, "order"),
        ({"order": "a", "amount": 1, "tenant": "a\r\nX-Admin: 1"}, "tenant"),
        ({"order": "\ud800", "amount": 1}, "order"),
        ({"order": "x" * 9000, "amount": 1}, "long"),
    ],
)
async def test_arguments_that_do_not_fit_are_never_sent(arguments: dict[str, Any], word: str) -> None:
    """The model is told which and why; nothing arrives."""
    async with tool_server() as server:
        spec = tool_spec(
            server.url("/echo/{order}"), method="POST", parameters=ORDER, places={"tenant": "header X-Tenant"}
        )
        async with http_tool(spec) as tool:
            failure = await failure_of(tool, arguments)
        assert failure.status is Status.INVALID
        assert word in failure.message
        assert not server.received


@pytest.mark.parametrize("how", ["", "?length=1", "?gzip=1"])
async def test_an_answer_of_200_mb_is_left_early(how: str) -> None:
    """However it comes, it costs neither memory nor time: it is not read to its end."""
    async with tool_server() as server, http_tool(tool_spec(server.url(f"/large{how}"))) as tool:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.monotonic()
        failure = await failure_of(tool)
        assert failure.status is Status.TOO_LARGE
        assert time.monotonic() - began < 10  # generously: sending 200 MB is not the point
        assert server.sent < 20_000_000
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < 50_000, f"{grown} kB more"


async def test_a_server_that_does_not_answer_is_left_in_time() -> None:
    """It would answer after a minute; the caller waits as long as the profile says."""
    async with tool_server() as server, http_tool(tool_spec(server.url("/held"), timeout_s=0.3)) as tool:
        began = time.monotonic()
        failure = await failure_of(tool)
        assert time.monotonic() - began < 5
        assert failure.status is Status.TIMEOUT
        assert "0.3 seconds" in failure.message


async def test_a_writing_call_without_an_answer_is_said_to_be_unknown() -> None:
    """It arrived, so it may have taken effect; the model is not told that nothing happened."""
    async with tool_server() as server, http_tool(tool_spec(server.url("/held"), method="POST", timeout_s=0.3)) as tool:
        failure = await failure_of(tool)
        assert failure.status is Status.UNKNOWN
        assert len(server.received) == 1


async def test_a_writing_call_that_never_left_is_not_unknown() -> None:
    """Nobody listens there."""
    async with tool_server() as server:
        pass
    async with http_tool(tool_spec(server.url("/echo"), method="POST")) as tool:
        assert (await failure_of(tool)).status is Status.UNREACHABLE


@pytest.mark.parametrize(
    ("method", "header", "requests"),
    [("GET", None, 3), ("PUT", None, 3), ("DELETE", None, 3), ("POST", "Idempotency-Key", 3), ("POST", None, 1)],
)
async def test_only_what_may_be_repeated_is_sent_again(method: str, header: str | None, requests: int) -> None:
    """GET, PUT and DELETE by their nature, POST when the server knows a repetition by its key; others once."""
    async with tool_server() as server:
        server.failures = 2
        spec = tool_spec(server.url("/status/503"), method=method, idempotency_header=header)
        async with http_tool(spec) as tool:
            if requests == 1:
                assert (await failure_of(tool)).http == 503
            else:
                assert (await tool.run({}, "key-1")).attempts == 3
        assert len(server.received) == requests
        if header is not None:
            assert {got.headers[header] for got in server.received} == {"key-1"}


async def test_a_cut_connection_is_tried_again_where_that_is_safe() -> None:
    """A reading call gets its answer; a writing one is sent once, and its outcome is unknown."""
    async with tool_server() as server:
        server.failures = 1
        async with http_tool(tool_spec(server.url("/broken"))) as tool:
            assert "true" in (await tool.run({}, "key")).text
        server.failures = 1
        async with http_tool(tool_spec(server.url("/broken"), method="POST")) as tool:
            assert (await failure_of(tool)).status is Status.UNKNOWN
        assert [got.method for got in server.received] == ["GET", "GET", "POST"]


async def test_what_the_server_refuses_is_not_tried_again() -> None:
    """A 404 stays one; the model is told what the server says."""
    async with tool_server() as server:
        server.failures = 1
        async with http_tool(tool_spec(server.url("/status/404"))) as tool:
            failure = await failure_of(tool)
        assert (failure.status, failure.http, failure.said) == (Status.ERROR, 404, "not now")
        assert len(server.received) == 1


async def test_a_token_is_fetched_once_and_again_after_a_401() -> None:
    """The refreshed request arrives once more, with the new token, and that is all."""
    async with tool_server() as server:
        spec = tool_spec(server.url("/guarded"), auth={**AUTH, "token_url": server.url("/token")})
        async with http_tool(spec, {"CRM_SECRET": SECRET}) as tool:
            await tool.run({}, "key")
            await tool.run({}, "key")
            assert server.tokens == 1
            server.accepted = "token-2"
            await tool.run({}, "key")
            assert server.tokens == 2
            server.accepted = "none"
            failure = await failure_of(tool)
        assert failure.http == 401
        assert server.tokens == 3
        assert SECRET in server.received[0].body


async def test_a_401_without_a_refresh_is_an_answer() -> None:
    """Nothing is tried again."""
    async with tool_server() as server, http_tool(tool_spec(server.url("/guarded"))) as tool:
        assert (await failure_of(tool)).http == 401
        assert len(server.received) == 1


async def test_secrets_reach_the_server_and_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    """A server that repeats what it was sent does not bring them to the model; no log and no `repr` has them."""
    caplog.set_level("DEBUG")
    async with tool_server() as server:
        spec = tool_spec(server.url("/echo"), headers={"Authorization": "Bearer ${CRM_TOKEN}"})
        async with http_tool(spec, {"CRM_TOKEN": SECRET}) as tool:
            result = await tool.run({}, "key")
            assert SECRET not in repr(tool) + repr(spec) + result.text
        assert server.received[0].headers["Authorization"] == f"Bearer {SECRET}"
        assert "Bearer [secret]" in result.text
    assert SECRET not in caplog.text


async def test_the_token_of_a_sign_in_does_not_reach_the_model() -> None:
    """It is as secret as what it was fetched with."""
    async with tool_server() as server:
        spec = tool_spec(server.url("/echo"), auth={**AUTH, "token_url": server.url("/token")})
        async with http_tool(spec, {"CRM_SECRET": SECRET}) as tool:
            assert "token-1" not in (await tool.run({}, "key")).text


@pytest.mark.parametrize("environment", [{}, {"CRM_TOKEN": ""}, {"CRM_TOKEN": "a\nb"}])
async def test_a_missing_secret_is_named_before_the_call(environment: dict[str, str]) -> None:
    """The tool, the header and the variable; never a value."""
    spec = tool_spec("https://crm.example.com/", headers={"Authorization": "Bearer ${CRM_TOKEN}"})
    with pytest.raises(ToolConfigError, match=r"'get_weather': header Authorization.*CRM_TOKEN"):
        async with http_tool(spec, environment):
            pass


async def test_what_is_no_text_is_named() -> None:
    """The bytes of a picture are of no use to the model."""
    async with tool_server() as server, http_tool(tool_spec(server.url("/picture"))) as tool:
        assert (await tool.run({}, "key")).text == "(a file of type image/png, 108 bytes)"


async def test_a_reading_call_takes_its_arguments_in_the_query() -> None:
    """Without further words in the profile."""
    async with tool_server() as server, http_tool(tool_spec(server.url("/weather"), parameters=CITY)) as tool:
        await tool.run({"city": "São Paulo"}, "key")
        assert server.received[0].query == {"city": "São Paulo"}
