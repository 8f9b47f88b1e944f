"""What the worker knows of itself at the moment when it is asked."""

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from agent.metrics import catalogue
from agent.metrics.catalogue import Gauge


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A worker at one moment.

    Attributes:
        calls_running: how many calls run.
        load: share of the CPU that is used or spoken for; see `admission.load`.
        load_limit: from which load on no call is taken; infinite: any is.
        ready: whether LiveKit may send calls.
        draining: whether it was asked to stop.
        outbox_turns: how many turns the thread has not acknowledged; None when the journal does not say.
        outbox_age: how many seconds the oldest of them has waited.
    """

    calls_running: int
    load: float
    load_limit: float
    ready: bool
    draining: bool
    outbox_turns: int | None
    outbox_age: float | None


class WorkerCollector(Collector):
    """The gauges of one moment, for Prometheus.

    Args:
        state: that moment.
    """

    def __init__(self, state: WorkerState) -> None:
        self._state = state

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One family for each gauge that is known."""
        state = self._state
        known: tuple[tuple[Gauge, float | None], ...] = (
            (catalogue.CALLS_RUNNING, state.calls_running),
            (catalogue.LOAD, state.load),
            (catalogue.LOAD_LIMIT, state.load_limit),
            (catalogue.READY, state.ready),
            (catalogue.DRAINING, state.draining),
            (catalogue.OUTBOX_TURNS, state.outbox_turns),
            (catalogue.OUTBOX_AGE, state.outbox_age),
        )
        for gauge, value in known:
            if value is not None:
                yield GaugeMetricFamily(gauge.name, gauge.help, value=float(value))
