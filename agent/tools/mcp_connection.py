"""Keeps one server of the Model Context Protocol running while a call lasts, and calls its tools."""

import asyncio
import json
import logging
import re
import ssl
from collections.abc import Callable, Mapping
from typing import Any

from livekit.agents import llm
from livekit.agents.llm.mcp import MCPServer
from mcp.shared.exceptions import MCPError

from agent.tools.failure import Status, ToolFailure
from agent.tools.mcp_servers import HttpServer, StdioServer
from agent.tools.result import ToolResult
from agent.tools.runner import Tool
from agent.tools.secrets import redact
from agent.tools.spec import McpServerSpec

logger = logging.getLogger("agent.tools.mcp")

START_TIMEOUT_S = 30.0
CLOSE_TIMEOUT_S = 7.0
PING_EVERY_S = 10.0
PING_TIMEOUT_S = 5.0
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
MAX_DESCRIPTION = 1_000  # characters
MAX_SCHEMA = 20_000  # characters
MAX_NAME = 64
# Any arguments in, any value out.
Function = llm.RawFunctionTool[..., Any]
_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9_-]")

BEING_STARTED = "The server of this tool is not running; it is being started again. Try again in a little while."


class McpConnection:
    """One server of one call.

    Args:
        spec: the server.
        environment: where its secrets are.
        tls: how certificates are checked.
        on_tools: told of the server's tools, whenever it is there again.

    Raises:
        ToolConfigError: a secret is not set; it is named.
    """

    def __init__(
        self,
        spec: McpServerSpec,
        environment: Mapping[str, str],
        tls: ssl.SSLContext,
        on_tools: Callable[[list[Tool]], None],
    ) -> None:
        self._spec = spec
        self._on_tools = on_tools
        self._make: Callable[[], StdioServer | HttpServer] = (
            (lambda: StdioServer(spec, environment))
            if spec.command is not None
            else (lambda: HttpServer(spec, environment, tls))
        )
        self._secrets = self._make().secrets
        self._server: MCPServer | None = None
        self._functions: dict[str, Function] = {}
        self._doubt = asyncio.Event()
        self._busy = 0

    async def run(self) -> None:
        """Start the server, and start it again when it is lost, until cancelled; it ends with this."""
        delay = FIRST_DELAY_S
        while True:
            server = self._make()
            try:
                await self._connect(server)
                delay = FIRST_DELAY_S
                await self._until_lost(server)
            except Exception as error:  # noqa: BLE001 - whatever a server does, it is started again, and it is said
                logger.warning(
                    "a server of tools is not there, it is started again",
                    extra={"server": self._spec.name, "error": _kind(error), "retry_s": delay},
                )
            finally:
                self._server = None
                await self._close(server)
            await asyncio.sleep(delay)
            delay = min(2 * delay, LONGEST_DELAY_S)

    async def _connect(self, server: MCPServer) -> None:
        async with asyncio.timeout(START_TIMEOUT_S):
            await server.initialize()
            await self._read_tools(server)
        self._doubt.clear()
        self._server = server

    async def _until_lost(self, server: MCPServer) -> None:
        """Ask for its tools now and then, and when a call went wrong; raises when there is no answer."""
        while True:
            try:
                async with asyncio.timeout(PING_EVERY_S):  # wait_for can lose a cancellation that comes just then
                    await self._doubt.wait()
            except TimeoutError:
                if self._busy:
                    continue  # it may do one thing at a time, and a call has its own time-out
            self._doubt.clear()
            async with asyncio.timeout(PING_TIMEOUT_S):
                server.invalidate_cache()
                await self._read_tools(server)

    async def _read_tools(self, server: MCPServer) -> None:
        functions = {function.info.name: function for function in await server.list_tools()}
        self._functions = functions
        self._on_tools([tool for function in functions.values() if (tool := self._tool(function)) is not None])

    def _tool(self, function: Function) -> Tool | None:
        """What the model can call; None for what is not offered."""
        name = function.info.name
        options = self._spec.options_of(name)
        schema: dict[str, Any] = function.info.raw_schema
        if options is None or len(json.dumps(schema.get("parameters"), default=str)) > MAX_SCHEMA:
            return None
        timeout = options.timeout_s or self._spec.timeout_s

        async def run(arguments: Mapping[str, Any], _: str) -> ToolResult:
            return await self._call(name, arguments, timeout, writes=options.writes)

        return Tool(
            name=_NOT_IN_NAME.sub("_", self._spec.prefix + name)[:MAX_NAME],
            description=str(schema.get("description") or "")[:MAX_DESCRIPTION],
            parameters=schema["parameters"],
            run=run,
            writes=options.writes,
            confirm=options.confirm,
            note=options.note,
            sensitive=options.sensitive,
            max_characters=self._spec.max_characters,
        )

    async def _call(self, name: str, arguments: Mapping[str, Any], timeout: float, *, writes: bool) -> ToolResult:
        function = self._functions.get(name)
        if self._server is None or function is None:
            raise ToolFailure(Status.UNREACHABLE, BEING_STARTED)
        lost = Status.UNKNOWN if writes else Status.UNREACHABLE
        unclear = " It is not known whether it took effect." if writes else ""
        self._busy += 1
        try:
            async with asyncio.timeout(timeout):
                text = str(await function(raw_arguments=dict(arguments)))
        except TimeoutError:
            status = Status.UNKNOWN if writes else Status.TIMEOUT
            raise ToolFailure(status, f"There was no answer within {timeout:g} seconds.{unclear}") from None
        except llm.ToolError as error:
            raise ToolFailure(Status.ERROR, "The tool reports an error.", said=self._shown(error.message)) from None
        except Exception as error:  # noqa: BLE001 - whatever breaks in there, the model is told and the server is checked
            logger.warning("a call broke off", extra={"server": self._spec.name, "error": _kind(error)})
            self._doubt.set()
            raise ToolFailure(lost, f"The server of this tool broke off in the middle of it.{unclear}") from None
        finally:
            self._busy -= 1
        shown = self._shown(text)
        return ToolResult(shown, len(text.encode(errors="replace")))

    def _shown(self, text: str) -> str:
        return redact(text, self._secrets)

    async def _close(self, server: MCPServer) -> None:
        """Leave a server, and wait until it is gone even when the call ends meanwhile.

        In a task of its own: after a start that was given up the closing itself ends cancelled.
        """
        closing = asyncio.create_task(server.aclose(), name="mcp close")
        try:
            await asyncio.wait({closing}, timeout=CLOSE_TIMEOUT_S)
        except asyncio.CancelledError:
            await asyncio.wait({closing}, timeout=CLOSE_TIMEOUT_S)
            raise
        if not closing.done():
            closing.cancel()
            logger.warning("a server of tools does not end", extra={"server": self._spec.name})
        elif not closing.cancelled() and (error := closing.exception()) is not None:
            logger.debug("a server of tools ended badly", extra={"server": self._spec.name, "error": _kind(error)})


def _kind(error: BaseException) -> str:
    """The kind of an error, without what it says."""
    return f"MCPError {error.error.code}" if isinstance(error, MCPError) else type(error).__name__
