"""What can go wrong with a connection.

No message holds a query, a header, the server's words or anything that was sent: every one of them may be logged.
"""


class WebSocketError(Exception):
    """The base of all errors here."""


class AddressError(WebSocketError):
    """There is no address to connect to.

    Args:
        message: what is wrong, without the address.
        final: True when asking again cannot help, such as for an address that is none; False when the function that
            makes the address failed.
    """

    def __init__(self, message: str, *, final: bool) -> None:
        super().__init__(message)
        self.final = final


class HandshakeRefused(WebSocketError):
    """The server answered the handshake with an HTTP status instead of a WebSocket.

    Args:
        status: the HTTP status.
        retry_after: the seconds that its `Retry-After` asks for, if it had one.
    """

    def __init__(self, status: int, retry_after: float | None = None) -> None:
        super().__init__(f"the server refused the handshake with {status}")
        self.status = status
        self.retry_after = retry_after


class ConnectError(WebSocketError):
    """No link could be opened: name, TCP, TLS, time-out, or an answer that is no WebSocket handshake."""


class LinkLost(WebSocketError):
    """An open link was lost without a closing handshake, or was found dead."""
