"""How a tool can fail: what the model is told, and the word that the journal keeps."""

from enum import StrEnum


class Status(StrEnum):
    """How a call of a tool ended; nothing else of it is kept."""

    STARTED = "started"
    OK = "ok"
    ASKED = "asked"  # the user is to confirm it first
    INVALID = "invalid"  # the arguments do not fit
    REFUSED = "refused"  # a host or an address that may not be reached
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    ERROR = "error"  # the server says so
    UNKNOWN = "unknown"  # a writing call that was sent and not answered: it may have taken effect
    CANCELLED = "cancelled"  # a reading call that the end of the call made useless


class ToolFailure(Exception):
    """A call that did not give what was asked for.

    Args:
        status: how it ended.
        message: for the model; holds no secret and no address.
        said: what the server said, if anything: to be marked as untrusted.
        http: the status code of the server.
    """

    def __init__(self, status: Status, message: str, said: str = "", http: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.said = said
        self.http = http
