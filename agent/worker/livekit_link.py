"""The one place that asks livekit-agents for something it does not publish."""

import ssl

from livekit.agents import AgentServer
from livekit.agents.utils import http_context

UNREGISTERED = "unregistered"


def is_registered(server: AgentServer) -> bool:
    """Whether the worker is registered at this moment; not while it connects anew.

    `worker_registered` tells of each registration and nothing tells of its end (livekit-agents 1.8.9), so the state is
    read where the library keeps it; tests/e2e/test_drain.py notices when that moves.
    """
    return server.id != UNREGISTERED and not server._connecting


def load_trust() -> ssl.SSLContext:
    """The authorities that are trusted, read once for the library and for us.

    The library reads them when a call first needs its HTTP session, which is at its end, and 25 ms in its event loop
    (livekit-agents 1.8.9); it keeps them for the process from then on.
    """
    return http_context._create_ssl_context()
