"""Where a tool may go, with real servers: what points at this machine in any way is refused unless it is listed."""

import pytest

from agent.tools.failure import Status, ToolFailure
from tests.tools.http_server import ToolServer, tool_server
from tests.tools.specs import FixedResolver, http_tool, tool_spec

OUTER = "127.0.0.2"  # stands for a public server: it is listed


async def refused(spec_url: str, resolver: FixedResolver | None = None, **more: object) -> ToolFailure:
    """The failure of a call."""
    async with http_tool(tool_spec(spec_url, **more), {"TOKEN": "secret-token"}, resolver) as tool:
        with pytest.raises(ToolFailure) as failure:
            await tool.run({}, "key")
    return failure.value


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_tool_that_points_at_this_machine_is_refused(host: str) -> None:
    """Neither as an address nor as a name; nothing arrives there."""
    async with tool_server() as server:
        failure = await refused(server.url("/weather", host), allow_hosts=[])
        assert failure.status is Status.REFUSED
        assert "Nothing was sent" in failure.message
        assert not server.received


async def test_a_listed_address_is_reached() -> None:
    """The same server, once `allow_hosts` names its address."""
    async with tool_server() as server, http_tool(tool_spec(server.url("/weather"), allow_hosts=["127.0.0.1"])) as tool:
        assert '"temperature": 21' in (await tool.run({}, "key")).text


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]
)
async def test_a_name_that_resolves_to_a_private_address_is_refused(address: str) -> None:
    """Whatever the name looks like, the address counts."""
    resolver = FixedResolver({"api.example.com": [address]})
    failure = await refused("http://api.example.com/weather", resolver, allow_hosts=[])
    assert failure.status is Status.REFUSED
    assert address not in failure.message


async def test_a_name_listed_by_name_does_not_open_this_machine() -> None:
    """`allow_hosts: [localhost]` lists a name, not the address behind it."""
    async with tool_server() as server:
        failure = await refused(server.url("/weather", "localhost"), allow_hosts=["localhost"])
        assert failure.status is Status.REFUSED
        assert not server.received


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_this_machine_is_refused(status: int) -> None:
    """The first host is listed, the one that it sends us to is not."""
    async with tool_server() as inner, tool_server(OUTER) as outer:
        url = outer.url(f"/redirect?status={status}&to={inner.url('/weather')}")
        failure = await refused(url, allow_hosts=[OUTER])
        assert failure.status is Status.REFUSED
        assert len(outer.received) == 1
        assert not inner.received


async def test_a_redirect_to_a_listed_name_that_resolves_to_this_machine_is_refused() -> None:
    """The name is listed, its address is not."""
    async with tool_server() as inner, tool_server(OUTER) as outer:
        resolver = FixedResolver({"inner.example.com": ["127.0.0.1"]})
        url = outer.url(f"/redirect?to={inner.url('/weather', 'inner.example.com')}")
        failure = await refused(url, resolver, allow_hosts=[OUTER, "inner.example.com"])
        assert failure.status is Status.REFUSED
        assert not inner.received


async def test_a_name_that_changes_its_address_is_refused() -> None:
    """DNS rebinding: each connection goes to the address that was checked for it, and to no other."""
    async with tool_server() as inner, tool_server(OUTER, inner.port) as outer:
        resolver = FixedResolver({"api.example.com": [OUTER, "127.0.0.1"]})
        spec = tool_spec(outer.url("/weather?close=1", "api.example.com"), allow_hosts=[OUTER])
        async with http_tool(spec, resolver=resolver) as tool:
            assert "21" in (await tool.run({}, "key")).text
            with pytest.raises(ToolFailure) as failure:
                await tool.run({}, "key")
        assert failure.value.status is Status.REFUSED
        assert resolver.lookups == ["api.example.com"] * 2
        assert count(outer) == 1
        assert count(inner) == 0


async def test_a_redirect_from_a_listed_host_to_another_is_followed_without_secrets() -> None:
    """Secrets and the profile's headers stay with the origin that they are for, the arguments go on."""
    async with tool_server() as inner, tool_server(OUTER) as outer:
        spec = tool_spec(
            outer.url(f"/redirect?status=307&to={inner.url('/echo')}"),
            method="POST",
            headers={"Authorization": "Bearer ${TOKEN}", "X-Tenant": "seven"},
            parameters={"type": "object", "properties": {"city": {"type": "string"}}},
        )
        async with http_tool(spec, {"TOKEN": "secret-token"}) as tool:
            await tool.run({"city": "Paris"}, "key")
        assert outer.received[0].headers["Authorization"] == "Bearer secret-token"
        assert inner.received[0].body == {"city": "Paris"}
        assert "Authorization" not in inner.received[0].headers
        assert "X-Tenant" not in inner.received[0].headers


async def test_a_redirect_within_the_origin_keeps_the_secrets() -> None:
    """It is the same server."""
    async with tool_server() as server:
        spec = tool_spec(server.url("/redirect?to=/echo"), headers={"Authorization": "Bearer ${TOKEN}"})
        async with http_tool(spec, {"TOKEN": "secret-token"}) as tool:
            await tool.run({}, "key")
        assert server.received[1].headers["Authorization"] == "Bearer secret-token"


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/", "http://user:pass@127.0.0.1/", "http://[::1"])
async def test_a_redirect_to_no_web_address_is_refused(to: str) -> None:
    """Only http and https lead anywhere."""
    async with tool_server() as server:
        failure = await refused(server.url(f"/redirect?to={to}"))
        assert failure.status is Status.REFUSED


async def test_redirects_come_to_an_end() -> None:
    """A server that sends us round and round is left."""
    async with tool_server() as server:
        failure = await refused(server.url("/redirect?to="))
        assert failure.status is Status.ERROR
        assert count(server) == 6


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would make the connection in our place, to anywhere."""
    async with tool_server() as server, tool_server(OUTER) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url("/"))
        async with http_tool(tool_spec(server.url("/weather"))) as tool:
            await tool.run({}, "key")
        assert count(server) == 1
        assert count(proxy) == 0


def count(server: ToolServer) -> int:
    """How many requests came."""
    return len(server.received)
