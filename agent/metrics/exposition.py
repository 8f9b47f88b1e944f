"""The text that Prometheus reads: our sums and gauges, then what the libraries tell of the worker's own process."""

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from agent.metrics.registry import Registry
from agent.metrics.worker_state import WorkerCollector, WorkerState

CONTENT_TYPE = CONTENT_TYPE_LATEST


def exposition(registry: Registry, state: WorkerState) -> bytes:
    """All metrics at one moment."""
    gauges = CollectorRegistry()
    gauges.register(WorkerCollector(state))
    return b"".join(generate_latest(part) for part in (registry.prometheus, gauges, REGISTRY))
