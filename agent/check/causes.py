"""Why a server cannot be reached, in words: the system's own error under what libraries make of it."""

import socket
import ssl
from collections.abc import Iterator

from agent.check.findings import Wrong
from agent.models import NoApiAnswer


def errors_under(error: BaseException) -> Iterator[BaseException]:
    """An error and those that caused it, the outermost first."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if isinstance(current, BaseExceptionGroup):
            waiting.extend(current.exceptions)
        waiting.extend(e for e in (current.__cause__, current.__context__) if e is not None)


def unreachable(error: BaseException, refused: str, address: str) -> Wrong:
    """What a failed connection means; see `network_problem`."""
    wrong = network_problem(error, refused, address)
    return wrong or Wrong(f"cannot be reached ({type(error).__name__})", f"check {address}")


def network_problem(error: BaseException, refused: str, address: str) -> Wrong | None:
    """What went wrong on the way to a server; None when it was something else.

    Args:
        error: what was raised.
        refused: what to do when nothing listens there.
        address: the setting that holds the address.
    """
    for cause in errors_under(error):
        match cause:
            case ConnectionRefusedError():
                return Wrong("nothing listens there (connection refused)", refused)
            case ssl.SSLCertVerificationError():
                return Wrong(
                    f"its certificate is not trusted ({cause.verify_message})",
                    f"give the server a certificate for the name in {address}, or trust its authority on this machine",
                )
            case ssl.SSLError():
                return Wrong("no TLS is spoken there", f"check the scheme and the port of {address}")
            case socket.gaierror():
                return Wrong("there is no such host", f"check the name in {address}, and this machine's DNS")
            case NoApiAnswer():
                return Wrong(
                    "answered with something else than its API, such as a web page",
                    f"check the path and the port of {address}",
                )
            case TimeoutError():
                return Wrong("does not answer", f"check the host and the port of {address}, and firewalls on the way")
            case ConnectionResetError() | EOFError():
                return Wrong("ends the connection without an answer", f"check the scheme and the port of {address}")
            case _:
                continue
    return None
