"""A server of the Model Context Protocol made with the protocol's own SDK: `mcp_example [PORT]`, else on stdio."""

import asyncio
import os
import signal
import sys

from mcp.server.mcpserver import MCPServer

server = MCPServer("example", log_level="ERROR")


@server.tool()
def reverse(text: str) -> str:
    """The text backwards."""
    return text[::-1]


@server.tool()
def environment() -> list[str]:
    """The names of the server's environment."""
    return sorted(os.environ)


@server.tool()
def whoami() -> str:
    """The number of the server's process, and a secret of its environment."""
    return f"{os.getpid()} {os.environ.get('API_KEY', '')}"


@server.tool()
async def slow(seconds: float) -> str:
    """Takes so long."""
    await asyncio.sleep(seconds)
    return "at last"


@server.tool()
def die() -> str:
    """Ends the server in the middle of the call."""
    os.kill(os.getpid(), signal.SIGKILL)
    return "never"


@server.tool()
def fail() -> str:
    """Goes wrong."""
    raise ValueError("the cupboard is bare")


@server.tool(name="odd name/2")
def odd() -> str:
    """A name that models cannot say."""
    return "odd"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
    else:
        server.run()
