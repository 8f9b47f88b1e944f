"""Which ports the stack listens on: taken ones are named before anything starts, 0 means a free one."""

import contextlib
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from agent.dev.problems import StartError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class PortWish:
    """A port that a part of the stack wants on 127.0.0.1.

    Attributes:
        port: the number, or 0 for a free one.
        purpose: what listens there, in words.
        variable: the setting that chooses another port.
    """

    port: int
    purpose: str
    variable: str


def claim_ports(wishes: Sequence[PortWish]) -> tuple[int, ...]:
    """The ports to use, in the order of the wishes.

    Raises:
        StartError: a port is taken or may not be used; the message names the port, its purpose, the process that
            holds it (when the system tells) and the variable that chooses another.
    """
    with contextlib.ExitStack() as held:  # all are held until all are chosen, so that no two get the same
        return tuple(_claim(wish, held) for wish in wishes)


def free_udp_port() -> int:
    """A UDP port of 127.0.0.1 that nobody uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def _claim(wish: PortWish, held: contextlib.ExitStack) -> int:
    probe = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    # As the servers do it: connections of an earlier run in TIME_WAIT do not count as taken.
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((LOOPBACK, wish.port))
    except PermissionError:
        raise StartError(
            f"port {wish.port} ({wish.purpose}) may not be used by this user: choose one above 1023, "
            f"e.g. make dev {wish.variable}=0"
        ) from None
    except OSError:
        raise StartError(
            f"port {wish.port} ({wish.purpose}) is taken{_holder(wish.port)}: stop that, or choose another with "
            f"{wish.variable}, e.g. make dev {wish.variable}={wish.port + 10 if wish.port < 65000 else 0}"
        ) from None
    port: int = probe.getsockname()[1]
    return port


def _holder(port: int) -> str:
    """By which process the port is taken, as far as the system tells this user."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status != psutil.CONN_LISTEN or not connection.pid or not connection.laddr:
                continue
            if connection.laddr.port == port:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""
