"""Tools for tests, made as a profile would describe them."""

import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from agent.tools.http_tool import HttpTool
from agent.tools.spec import ToolSpec

LOOPBACK = ["127.0.0.0/8"]
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def tool_spec(url: str, **more: Any) -> ToolSpec:
    """A tool at this address; it may reach this machine unless `allow_hosts` says otherwise."""
    members = {"name": "get_weather", "description": "The weather.", "url": url, "allow_hosts": LOOPBACK, **more}
    return ToolSpec.model_validate(members)


@asynccontextmanager
async def http_tool(
    spec: ToolSpec, environment: Mapping[str, str] | None = None, resolver: AbstractResolver | None = None
) -> AsyncIterator[HttpTool]:
    """The tool, ready to be called."""
    tool = HttpTool(spec, environment or {}, ssl.create_default_context(), resolver)
    try:
        yield tool
    finally:
        await tool.aclose()


class FixedResolver(AbstractResolver):
    """Names resolve to what the test says; a list is worked off, one answer for each lookup."""

    def __init__(self, names: Mapping[str, list[str]]) -> None:
        self.names = {name: list(addresses) for name, addresses in names.items()}
        self.lookups: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """See `AbstractResolver`."""
        self.lookups.append(host)
        answers = self.names[host]
        address = answers.pop(0) if len(answers) > 1 else answers[0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        """See `AbstractResolver`."""
