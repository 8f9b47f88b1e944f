"""What a tool gave back, before it is marked and cut for the model."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class ToolResult:
    """One result.

    Attributes:
        text: what the tool says, without secrets.
        size: its size in bytes as it came.
        http: the status code of an HTTP server.
        attempts: how often it was tried.
    """

    text: str
    size: int
    http: int | None = None
    attempts: int = 1
