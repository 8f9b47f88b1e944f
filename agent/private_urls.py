"""Which addresses may be used: secrets and words leave this machine encrypted, unless somebody allows it otherwise."""

import ipaddress
from urllib.parse import urlsplit

ENCRYPTED = frozenset({"https", "wss"})


def problem_with(url: str, *, allow_insecure: bool) -> str | None:
    """What is wrong with an address, in words that name no part of it; None when it may be used.

    Args:
        url: an absolute address.
        allow_insecure: whether what is not encrypted may go to other machines, too.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return "is no address"
    if not host:
        return "is no address: the name of the machine is missing"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user or a password: addresses are logged"
    if parts.scheme in ENCRYPTED or allow_insecure or is_loopback(host):
        return None
    return (
        f"{parts.scheme}:// to another machine is not encrypted: use {'wss' if parts.scheme == 'ws' else 'https'}://, "
        "or set ALLOW_INSECURE=true on a network that you trust"
    )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, as far as its name tells."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
