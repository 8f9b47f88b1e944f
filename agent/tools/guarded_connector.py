"""Connections to permitted addresses alone: each address is checked where the socket to it is made.

The name is looked up once for each connection, and the connection goes to the addresses that were checked, so a name
that says something else the next time (DNS rebinding) gains nothing.
"""

import ipaddress
import socket
import ssl

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from agent.tools.hosts import AddressRefused, AllowedHosts

CONNECT_TIMEOUT_S = 10.0


class GuardedResolver(AbstractResolver):
    """Looks names up, and gives none of their addresses when one of them may not be reached.

    Args:
        allowed: what may be reached.
        resolver: looks them up.
    """

    def __init__(self, allowed: AllowedHosts, resolver: AbstractResolver) -> None:
        self._allowed = allowed
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """See `AbstractResolver`; raises AddressRefused."""
        found = await self._resolver.resolve(host, port, family)
        for result in found:
            _check(self._allowed, result["host"])
        return found

    async def close(self) -> None:
        """See `AbstractResolver`."""
        await self._resolver.close()


def guarded_connector(
    allowed: AllowedHosts, tls: ssl.SSLContext, resolver: AbstractResolver | None = None
) -> aiohttp.TCPConnector:
    """Connections of one tool; made inside a running loop.

    Args:
        allowed: what may be reached.
        tls: how certificates are checked.
        resolver: looks names up; by default the system does.
    """

    def make_socket(address: tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]) -> socket.socket:
        family, kind, protocol, _, place = address
        _check(allowed, place[0])
        return socket.socket(family, kind, protocol)

    return aiohttp.TCPConnector(
        ssl=tls,
        resolver=GuardedResolver(allowed, resolver or aiohttp.ThreadedResolver()),
        use_dns_cache=False,
        socket_factory=make_socket,
        limit=8,
        keepalive_timeout=30.0,
    )


def _check(allowed: AllowedHosts, text: str) -> None:
    if not allowed.permits_address(ipaddress.ip_address(text)):
        raise AddressRefused("the address is not a public one, and is not listed in allow_hosts")
