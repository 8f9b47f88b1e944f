"""Adds up what the models of a call use, whoever asks them: the session, a fallback, the summary."""

from typing import Any, Protocol

from livekit.agents.metrics import AgentMetrics

from agent.usage.measure import Amounts, ModelKey, amounts_of


class Measured(Protocol):
    """A model of livekit-agents: it emits `metrics_collected` for each request."""

    def on(self, event: Any, callback: Any) -> Any:
        """Listen to an event."""


class UsageMeter:
    """What was used so far, by model.

    Each model is listened to itself, not the adapter around it: the library's adapter for several recognisers tells
    each transcription twice, and none of its events says which of the configured models it was.
    """

    def __init__(self) -> None:
        self._amounts: dict[ModelKey, Amounts] = {}
        self._changed: set[ModelKey] = set()

    @property
    def amounts(self) -> dict[ModelKey, Amounts]:
        """What was used of each model that was used at all."""
        return dict(self._amounts)

    def watch(self, key: ModelKey, model: Measured) -> None:
        """Count what is used of a model from now on."""
        model.on("metrics_collected", lambda metrics: self._count(key, metrics))

    def take_changed(self) -> dict[ModelKey, Amounts]:
        """The sums that have changed since this was asked last."""
        changed = {key: self._amounts[key] for key in self._changed}
        self._changed.clear()
        return changed

    def _count(self, key: ModelKey, metrics: AgentMetrics) -> None:
        if (amounts := amounts_of(metrics)) is not None:
            self._amounts[key] = self._amounts.get(key, Amounts()) + amounts
            self._changed.add(key)
