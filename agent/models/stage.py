"""One stage of a call (hearing, thinking, speaking) and its models: a request goes to the first that can do it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from agent.models import retry_after
from agent.models.failure import ModelFailed, why_failed
from agent.models.patience import Patience
from agent.models.reports import Failed, Fallback, ModelReports, Outage, Recovery, StageName
from agent.models.roster import Roster

Model = TypeVar("Model")
Result = TypeVar("Result")

# Before all are asked once more: a server that starts again, or drops one connection, is well by then.
AGAIN_S = 0.5
# Nobody waits longer than this for a provider that asks to be left alone.
LONGEST_WAIT_S = 2.0
# Where nobody else is left to take over, there is less hurry to give up.
LAST_PATIENCE = 2.5
SLOW = frozenset({"timeout", "stalled"})


@dataclass(frozen=True, slots=True)
class Candidate(Generic[Model]):
    """A model, and its name in the list (`provider/model`)."""

    name: str
    model: Model


@dataclass(frozen=True, slots=True)
class StageLimits:
    """When to give a model up, and when to come back to it; seconds.

    Attributes:
        patience: how long one may take.
        rest: after a first failure; it doubles with each further one.
        longest_rest: at most.
    """

    patience: Patience
    rest: float = 5.0
    longest_rest: float = 120.0


class Stage(Generic[Model]):
    """The models of one stage in one call.

    Args:
        name: which stage.
        candidates: at least one; the preferred one first.
        limits: when to give one up.
        reports: told of what happens.
    """

    def __init__(
        self, name: StageName, candidates: Sequence[Candidate[Model]], limits: StageLimits, reports: ModelReports
    ) -> None:
        self._name = name
        self._candidates = candidates
        self._patience = limits.patience
        self._roster = Roster(len(candidates), limits.rest, limits.longest_rest)
        self._reports = reports
        self._latest = candidates[0].model

    @property
    def models(self) -> Sequence[Model]:
        """All of them, in the order of the list."""
        return [candidate.model for candidate in self._candidates]

    @property
    def latest(self) -> Model:
        """The one that did the last request."""
        return self._latest

    async def run(
        self,
        work: Callable[[Model, Patience], Awaitable[Result]],
        may_be_repeated: Callable[[], bool] = lambda: True,
    ) -> Result:
        """Let the first model that can do some work do it.

        When all failed quickly, all are asked once more, a moment later.

        Args:
            work: what to do with a model, and how long it may take; what one has done of it before it failed, `work`
                has to keep in mind itself. Any error means that the model failed.
            may_be_repeated: whether another one may do the work, asked when one has failed.

        Raises:
            ModelFailed: none could do it.
        """
        failures: list[tuple[int, str]] = []
        for final in (False, True):
            order = self._roster.order(_now())
            for index in order:
                if failures:
                    self._report_takeover(*failures[-1], index)
                asked_at = _now()
                patience = self._patience.times(LAST_PATIENCE) if index == order[-1] else self._patience
                with retry_after.listening() as wish:
                    try:
                        result = await work(self._candidates[index].model, patience)
                    except Exception as error:  # noqa: BLE001  # a plugin may raise anything; it is reported
                        failures.append((index, why_failed(error)))
                    else:
                        self._note_success(index)
                        return result
                self._note_failure(*failures[-1], asked_at, wish.seconds)
                if not may_be_repeated():
                    raise ModelFailed(failures[-1][1])
            wait = max(AGAIN_S, self._roster.next_free() - _now())
            if final or wait > LONGEST_WAIT_S or any(why in SLOW for _, why in failures):
                break
            await asyncio.sleep(wait)
        why = failures[-1][1] if failures else "left alone as asked"
        self._reports.add(Outage(self._name, why))
        raise ModelFailed(why)

    def _note_failure(self, index: int, why: str, asked_at: float, left_alone: float | None) -> None:
        self._reports.add(Failed(self._name, self._candidates[index].name, why))
        self._roster.failed(index, asked_at=asked_at, now=_now(), retry_after=left_alone)

    def _note_success(self, index: int) -> None:
        self._latest = self._candidates[index].model
        if self._roster.worked(index):
            self._reports.add(Recovery(self._name, self._candidates[index].name))

    def _report_takeover(self, failed: int, why: str, index: int) -> None:
        if index != failed:
            names = [self._candidates[i].name for i in (failed, index)]
            self._reports.add(Fallback(self._name, names[0], names[1], why))


def _now() -> float:
    return asyncio.get_running_loop().time()
