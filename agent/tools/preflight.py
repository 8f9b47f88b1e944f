"""What can be found out about tools before there is a call: whether every secret that they name is there."""

from collections.abc import Iterator, Mapping

from agent.tools.secrets import resolve
from agent.tools.spec import ToolSpecs


def check_secrets(specs: ToolSpecs, environment: Mapping[str, str]) -> None:
    """Raise a ToolConfigError that names the tool, the key and the variable when a secret is not set."""
    for where, template in _templates(specs):
        resolve(template, environment, where)


def _templates(specs: ToolSpecs) -> Iterator[tuple[str, str]]:
    for tool in specs.tools:
        for name, value in tool.headers.items():
            yield f"tool {tool.name!r}: header {name}", value
        if tool.auth is not None:
            yield f"tool {tool.name!r}: auth.client_id", tool.auth.client_id
            yield f"tool {tool.name!r}: auth.client_secret", tool.auth.client_secret
    for server in specs.mcp:
        for name, value in server.env.items():
            yield f"mcp server {server.name!r}: env {name}", value
        for name, value in server.headers.items():
            yield f"mcp server {server.name!r}: header {name}", value
