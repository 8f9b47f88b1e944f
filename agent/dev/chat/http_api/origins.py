"""Which web pages may talk to this server: only those served from this machine.

The server listens on 127.0.0.1 for development and signs anybody in by name, so a page of the web that a developer
happens to visit must not reach it: neither across origins nor under a name that resolves to 127.0.0.1.
"""

from urllib.parse import urlsplit

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


def is_local_origin(origin: str | None) -> bool:
    """Whether an Origin header allows the request; clients that are no browsers send none."""
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and parts.hostname in LOOPBACK_NAMES
    except ValueError:
        return False


def is_local_host(host: str) -> bool:
    """Whether a Host header names this machine."""
    try:
        return urlsplit(f"//{host}").hostname in LOOPBACK_NAMES
    except ValueError:
        return False
