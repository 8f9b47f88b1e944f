"""A bound on the requests that one model has taken on: beyond it callers are told to come back, and what else to do."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from agent.dev.models.errors import ApiError
from agent.dev.models.measures import ModelMeasures

logger = logging.getLogger("agent.dev.models")

RETRY_AFTER_S = 1


class Capacity:
    """Counts the requests of one model, running and waiting together.

    Args:
        model: the model's id, for the message.
        limit: how many requests may be there at once.
        setting: the variable that lists models of this kind, for the message.
        measures: told of each request.
    """

    def __init__(self, model: str, limit: int, setting: str, measures: ModelMeasures) -> None:
        self.model = model
        self.limit = limit
        self.taken = 0
        self._setting = setting
        self._measures = measures
        self._full = False
        measures.limited(model, limit)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place while a request is served; raises ApiError (429) when there is none."""
        if self.taken >= self.limit:
            self._measures.asked(self.model, taken=False, there=self.taken)
            if not self._full:  # said once until there is plenty of room again, and counted each time
                logger.warning(
                    "a model is full, requests are refused", extra={"model": self.model, "limit": self.limit}
                )
            self._full = True
            raise ApiError(
                f"{self.model} has {self.limit} requests running and waiting, which is its limit. Ask again in "
                f"{RETRY_AFTER_S} s; if that happens often, name another model after it in {self._setting}, or run "
                "further models processes (docs/providers.md).",
                status=HTTPStatus.TOO_MANY_REQUESTS,
                code="rate_limit_exceeded",
                retry_after=RETRY_AFTER_S,
            )
        self.taken += 1
        self._measures.asked(self.model, taken=True, there=self.taken)
        try:
            yield
        finally:
            self.taken -= 1
            if self.taken <= self.limit // 2:
                self._full = False
            self._measures.left(self.model, self.taken)
