"""Where Redis is, as `JOURNAL_URL` says it. The address holds a password: it is never logged whole."""

from urllib.parse import parse_qsl, urlsplit

from agent.private_urls import is_loopback

SCHEMES = ("redis", "rediss")
# A private authority, and a certificate of our own, for rediss://.
OPTIONS = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})


def problem_with_address(url: str, *, allow_insecure: bool) -> str | None:
    """What is wrong with an address, in words that name no part of it; None when it may be used.

    Args:
        url: redis://[[user]:password@]host[:port][/database], or rediss:// for TLS.
        allow_insecure: whether what is not encrypted may go to other machines, too.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "is no address"
    if parts.scheme not in SCHEMES:
        return "must start with redis:// or rediss://, e.g. redis://127.0.0.1:6379/0"
    if not parts.hostname:
        return "is no address: the name of the machine is missing"
    if parts.path not in ("", "/") and not parts.path[1:].isdecimal():
        return "must end with the number of a database, e.g. /0"
    if unknown := {name for name, _ in parse_qsl(parts.query)} - OPTIONS:
        return f"has unknown options ({len(unknown)} of them): there are {', '.join(sorted(OPTIONS))}"
    if parts.scheme == "redis" and not (allow_insecure or is_loopback(parts.hostname)):
        return "redis:// to another machine is not encrypted: use rediss://, or set ALLOW_INSECURE=true on a network \
that you trust"
    return None


def name_of(url: str) -> str:
    """Which Redis it is, for logs: without user, password and options."""
    parts = urlsplit(url)
    return f"Redis at {parts.hostname}:{parts.port or 6379}{parts.path}"
