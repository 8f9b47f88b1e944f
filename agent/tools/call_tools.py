"""All tools of one call: the profile's HTTP tools and the tools of its servers, as the session can use them."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence

from livekit.agents import llm

from agent.tools.http_tool import HttpTool
from agent.tools.mcp_connection import McpConnection
from agent.tools.runner import Tool, ToolRunner
from agent.tools.spec import ToolSpec, ToolSpecs
from agent.turns import Turn

logger = logging.getLogger("agent.tools")

# What writes may come to its end when the call does, so many seconds.
FINISH_TIMEOUT_S = 5.0
Offer = Callable[[list[llm.Tool | llm.Toolset]], Awaitable[None]]


class CallTools:
    """The tools of one call.

    Args:
        specs: the tools.
        environment: where their secrets are.
        tls: how certificates are checked.
        runner: runs them.
        own: tools that no profile describes.

    Raises:
        ToolConfigError: a secret is not set; it is named.
    """

    def __init__(
        self,
        specs: ToolSpecs,
        environment: Mapping[str, str],
        tls: ssl.SSLContext,
        runner: ToolRunner,
        own: Sequence[Tool] = (),
    ) -> None:
        self._runner = runner
        self._http = [HttpTool(spec, environment, tls) for spec in specs.tools]
        described = [_as_tool(spec, tool) for spec, tool in zip(specs.tools, self._http, strict=True)]
        self._tools: dict[str, list[Tool]] = {"": [*own, *described]}
        self._servers = [
            McpConnection(spec, environment, tls, lambda tools, name=spec.name: self._found(name, tools))  # type: ignore[misc]
            for spec in specs.mcp
        ]
        self._changed = asyncio.Event()

    @property
    def expected(self) -> bool:
        """Whether there are tools, or will be when their servers run."""
        return bool(self._tools[""] or self._servers)

    @property
    def running(self) -> bool:
        """Whether one of them is being called."""
        return self._runner.running

    @property
    def functions(self) -> list[llm.Tool | llm.Toolset]:
        """What can be called now."""
        return list(self._functions().values())

    async def run(self, offer: Offer) -> None:
        """Keep the servers running, until cancelled.

        Args:
            offer: told of all tools whenever a server has others than before.
        """
        async with asyncio.TaskGroup() as tasks:
            for server in self._servers:
                tasks.create_task(server.run(), name="mcp server")
            while True:
                await self._changed.wait()
                self._changed.clear()
                await offer(self.functions)

    def stop_waiting(self) -> None:
        """See `ToolRunner.stop_waiting`."""
        self._runner.stop_waiting()

    async def left_behind(self) -> list[Turn]:
        """Notes on writing calls of this conversation that a process left behind when it was killed.

        Nobody runs them again: the model may call such a tool once more when the user says yes.
        """
        return await self._runner.left_behind()

    async def finish(self) -> None:
        """Let what writes come to its end, within a bound, and close all connections."""
        await self._runner.finish(FINISH_TIMEOUT_S)
        for tool in self._http:
            await tool.aclose()

    def _found(self, server: str, tools: list[Tool]) -> None:
        """A server has these tools; they are offered when they are not the same as before."""
        before = [(tool.name, tool.description, tool.parameters) for tool in self._tools.get(server, [])]
        if before != [(tool.name, tool.description, tool.parameters) for tool in tools]:
            self._tools[server] = tools
            self._changed.set()

    def _functions(self) -> dict[str, llm.Tool]:
        """All tools by name; of two with one name the first stands, and the profile's own come first."""
        found: dict[str, llm.Tool] = {}
        for server, tools in self._tools.items():
            for tool in tools:
                if tool.name in found:
                    logger.error("a tool is left out: there is one of this name", extra={"server": server})
                else:
                    found[tool.name] = self._runner.function_tool(tool)
        return found


def _as_tool(spec: ToolSpec, tool: HttpTool) -> Tool:
    return Tool(
        name=spec.name,
        description=spec.description,
        parameters=spec.parameters,
        run=tool.run,
        writes=spec.is_writing,
        confirm=spec.confirm,
        note=spec.note,
        sensitive=spec.sensitive,
        max_characters=spec.max_characters,
    )
