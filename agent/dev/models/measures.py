"""What a models server tells Prometheus: how many requests, how many refused, how long they wait for the model."""

from collections.abc import Sequence

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

# As finely as people notice, up to the patience of the last model in a list.
WAIT_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0)


class ModelMeasures:
    """The metrics of one server.

    Args:
        models: the ids of its models.
    """

    def __init__(self, models: Sequence[str]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "local_model_requests_total", "Requests by answer.", ("model", "answer"), registry=self._registry
        )
        self._running = Gauge(
            "local_model_taken", "Requests that run and wait now.", ("model",), registry=self._registry
        )
        self._limit = Gauge("local_model_limit", "How many are taken on at once.", ("model",), registry=self._registry)
        self._wait = Histogram(
            "local_model_wait_seconds",
            "How long a piece of work waited for the model.",
            ("model",),
            buckets=WAIT_BUCKETS,
            registry=self._registry,
        )
        for model in models:
            for answer in ("taken", "full"):
                self._requests.labels(model, answer)

    def limited(self, model: str, limit: int) -> None:
        """So many requests of a model are taken on."""
        self._limit.labels(model).set(limit)

    def asked(self, model: str, *, taken: bool, there: int) -> None:
        """A request came, and was taken or refused; so many are there now."""
        self._requests.labels(model, "taken" if taken else "full").inc()
        self._running.labels(model).set(there)

    def left(self, model: str, there: int) -> None:
        """A request is done; so many are there now."""
        self._running.labels(model).set(there)

    def waited(self, model: str, seconds: float) -> None:
        """A piece of work waited for its turn."""
        self._wait.labels(model).observe(seconds)

    async def show(self, request: web.Request) -> web.Response:
        """`GET /metrics`."""
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
