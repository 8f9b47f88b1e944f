"""Connections that several clients share (`share`), with an owner: nothing here is global."""

from collections.abc import Callable, Hashable
from types import TracebackType
from typing import Self

from agent.websocket.address import Url, as_address
from agent.websocket.closes import NORMAL
from agent.websocket.connection import Connection, Subscriber
from agent.websocket.options import Options


class SharedPool:
    """One connection for each address; the last client that leaves closes it.

    A client says `share=pool`. Two clients share when they name the same address, with the same query, headers and
    subprotocols, or the same url function.
    """

    def __init__(self) -> None:
        self._connections: dict[Hashable, Connection] = {}

    def __len__(self) -> int:
        return len(self._connections)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def join(
        self, url: Url, options: Options, subscriber: Subscriber, create: Callable[[Url, Options], Connection]
    ) -> Connection:
        """Join the connection to this address, which `create` makes if there is none.

        Raises:
            ValueError: it is shared already, with other options: one connection has one policy.
        """
        key = _key(url, options)
        connection = self._connections.get(key)
        if connection is None:
            connection = self._connections[key] = create(url, options)
        elif connection.options != options:
            raise ValueError("this address is shared already, with other options")
        connection.join(subscriber)
        return connection

    async def leave(self, connection: Connection, subscriber: Subscriber, code: int = NORMAL, reason: str = "") -> bool:
        """Leave a connection; returns whether that closed it, because nobody else was there."""
        if connection.subscribers > 1:
            connection.leave(subscriber)
            return False
        self._connections = {key: known for key, known in self._connections.items() if known is not connection}
        try:
            await connection.aclose(code, reason)
        finally:
            connection.leave(subscriber)
        return True

    async def aclose(self) -> None:
        """Close every connection, whoever still uses it; their clients are told."""
        connections = list(self._connections.values())
        self._connections.clear()
        for connection in connections:
            await connection.aclose()


def _key(url: Url, options: Options) -> Hashable:
    if callable(url):
        return url
    address = as_address(url).with_defaults(options.query_params, options.headers, options.offered_protocols)
    return address.full_url, tuple(sorted(address.headers.items())), tuple(address.protocols)
