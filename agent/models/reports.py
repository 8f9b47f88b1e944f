"""What is told of models that fail: to the log and the metrics at once, and to whoever listens."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from agent.metrics.catalogue import FALLBACKS, MODEL_FAILURES, MODEL_OUTAGES

logger = logging.getLogger("agent.models")

StageName = Literal["stt", "llm", "tts"]


@dataclass(frozen=True, slots=True)
class Failed:
    """A model failed at one request."""

    stage: StageName
    model: str
    why: str


@dataclass(frozen=True, slots=True)
class Fallback:
    """Another model takes the request over."""

    stage: StageName
    from_model: str
    to_model: str
    why: str


@dataclass(frozen=True, slots=True)
class Outage:
    """No model of a stage could do it."""

    stage: StageName
    why: str


@dataclass(frozen=True, slots=True)
class Recovery:
    """A model that had failed works again."""

    stage: StageName
    model: str


Report = Failed | Fallback | Outage | Recovery


class ModelReports:
    """Where the stages of one call report; `listener` is told of each report."""

    def __init__(self) -> None:
        self.listener: Callable[[Report], None] | None = None

    def add(self, report: Report) -> None:
        """Something happened."""
        match report:
            case Failed(stage, model, why):
                MODEL_FAILURES.inc(stage=stage)
                logger.warning("%s: %s failed (%s)", stage, model, why)
            case Fallback(stage, _, model):
                FALLBACKS.inc(stage=stage)
                logger.warning("%s: %s takes over", stage, model)
            case Outage(stage, why):
                MODEL_OUTAGES.inc(stage=stage)
                logger.error("%s: no model is left (%s)", stage, why)
            case Recovery(stage, model):
                logger.info("%s: %s works again", stage, model)
        if self.listener is not None:
            self.listener(report)
