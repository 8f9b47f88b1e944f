"""Counts, times and traces the turns of one call on their way into the journal and the thread."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agent.metrics.catalogue import (
    DELIVERIES,
    DELIVERY_SECONDS,
    INTERRUPTIONS,
    JOURNAL_WRITE_SECONDS,
    TURN_LATENCY,
    TURNS,
)
from agent.tracing.turn_spans import TurnSpans
from agent.turns import Latency, Turn


class TurnWatch:
    """The turns of one call.

    Args:
        clock: seconds, never going back.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._spans = TurnSpans()
        self._waiting: dict[str, float] = {}

    @contextmanager
    def writing(self, turn: Turn, *, delivered: bool) -> Iterator[None]:
        """A turn is being written to the journal; `delivered`: the thread has it already."""
        began = self._clock()
        with self._spans.writing(turn, delivered=delivered):
            yield
        written = self._clock()
        if not delivered:
            self._waiting[turn.id] = written
        JOURNAL_WRITE_SECONDS.observe(written - began)
        TURNS.inc(speaker=turn.speaker, channel=turn.channel)
        if turn.interrupted:
            INTERRUPTIONS.inc()
        for stage, milliseconds in _stages(turn.latency):
            if milliseconds is not None:
                TURN_LATENCY.observe(milliseconds / 1000, stage=stage)

    def acknowledged(self, turn_id: str) -> None:
        """The thread has a turn, one of this call or one that was left by an earlier one."""
        DELIVERIES.inc(carrier="call")
        self._spans.acknowledged(turn_id)
        if (written := self._waiting.pop(turn_id, None)) is not None:
            DELIVERY_SECONDS.observe(self._clock() - written)

    def close(self) -> None:
        """What has not been acknowledged by now is left to the worker."""
        self._spans.close()


def _stages(latency: Latency) -> tuple[tuple[str, int | None], ...]:
    return (
        ("transcription", latency.transcription_ms),
        ("end_of_turn", latency.end_of_turn_ms),
        ("silence", latency.silence_ms),
        ("llm_first_token", latency.llm_first_token_ms),
        ("tts_first_byte", latency.tts_first_byte_ms),
        ("total", latency.total_ms),
    )
