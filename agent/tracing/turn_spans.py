"""Our spans of a turn: the utterance, `journal.write`, and `chat.delivery` until the thread has acknowledged it.

They are part of the job's trace; `turn.id` finds all spans of one turn. Without a collector they cost nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import Span

from agent.turns import Turn

tracer = trace.get_tracer("voice-agent")


class TurnSpans:
    """The spans of the turns of one call."""

    def __init__(self) -> None:
        self._deliveries: dict[str, Span] = {}

    @contextmanager
    def writing(self, turn: Turn, *, delivered: bool) -> Iterator[None]:
        """A turn is being written; unless the thread has it already, its delivery begins after that."""
        about = _attributes(turn)
        utterance = tracer.start_span("turn", start_time=_nanoseconds(turn.started_at), attributes=about)
        utterance.end(_nanoseconds(turn.ended_at))
        inside = trace.set_span_in_context(utterance)
        span = tracer.start_span("journal.write", inside, attributes={"turn.id": turn.id})
        try:
            yield
        finally:
            span.end()
        if not delivered:
            self._deliveries[turn.id] = tracer.start_span("chat.delivery", inside, attributes={"turn.id": turn.id})

    def acknowledged(self, turn_id: str) -> None:
        """The thread has a turn."""
        if (span := self._deliveries.pop(turn_id, None)) is not None:
            span.set_attribute("turn.acknowledged", True)
            span.end()

    def close(self) -> None:
        """What is not acknowledged is left to the worker."""
        for span in self._deliveries.values():
            span.set_attribute("turn.acknowledged", False)
            span.end()
        self._deliveries.clear()


def _attributes(turn: Turn) -> dict[str, str | bool | int]:
    known: dict[str, str | bool | int | None] = {
        "turn.id": turn.id,
        "turn.speaker": turn.speaker.value,
        "turn.channel": turn.channel.value,
        "turn.interrupted": turn.interrupted,
        "turn.reply_to": turn.reply_to,
        "turn.latency_ms": turn.latency.total_ms,
    }
    return {key: value for key, value in known.items() if value is not None}


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
