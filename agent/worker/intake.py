"""Which calls a worker has on, running and just accepted, and with that whether it takes another one."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from agent.settings import Settings
from agent.worker import admission
from agent.worker.admission import Demand, Limits, Refusal
from agent.worker.load_meter import LoadMeter


class Intake:
    """Keeps count for one worker. To be used in its event loop; `told` may be read from any thread.

    Args:
        settings: the limits, and what a call costs until that is known.
        clock: seconds, monotonic.

    Attributes:
        told: the load that livekit-server is told; see `admission.told_load`.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self.told = 0.0
        self._limits = Limits(settings.worker_max_load, settings.worker_max_calls)
        self._clock = clock
        self._meter = LoadMeter(self.note_measured, self.note_used, lambda: bool(self._since))
        self._set_cost = settings.worker_call_cores / self._meter.cores
        self._cost = self._set_cost
        self._measured = 0.0
        self._active: Callable[[], Iterable[str]] = tuple
        self._coming: set[str] = set()
        self._since: dict[str, float] = {}  # the calls that run, and since when

    def follow(self, active: Callable[[], Iterable[str]]) -> None:
        """From now on these are the calls that run; `active` gives their ids."""
        self._active = active

    async def measure(self) -> None:
        """Measure the load until cancelled."""
        await self._meter.run()

    def note_measured(self, measured: float) -> None:
        """The CPU was so busy in the last seconds (0 to 1)."""
        self._measured = measured
        self._tell()

    def note_used(self, used: float) -> None:
        """The worker's processes used this share of the CPU (0 to 1): what a call costs is learned from it."""
        demand = self._demand()
        if demand.calls and not demand.unseen:
            self._cost = admission.learned_cost(self._cost, used, demand.calls, self._set_cost)

    @property
    def load(self) -> float:
        """See `admission.load`."""
        return admission.load(self._demand(), self._limits)

    @property
    def calls(self) -> int:
        """How many calls run or are accepted."""
        return self._demand().calls

    def refusal(self) -> Refusal | None:
        """Why no further call is taken; None: there is room."""
        return admission.refusal(self._demand(), self._limits)

    def places(self) -> int:
        """How many further calls would be taken if they all came now."""
        return admission.places(self._demand(), self._limits)

    @contextmanager
    def taking(self, call_id: str) -> Iterator[None]:
        """A call is being taken: it counts from here on, and after that while it is among those that run."""
        self._coming.add(call_id)
        self._tell()
        try:
            yield
        finally:
            self._coming.discard(call_id)
            self._tell()

    def _demand(self) -> Demand:
        now, active = self._clock(), set(self._active())
        self._since = {call: self._since.get(call, now) for call in active - self._coming}
        unseen = len(self._coming) + sum(admission.unseen_part(now - at) for at in self._since.values())
        return Demand(self._measured, len(active | self._coming), unseen, self._cost)

    def _tell(self) -> None:
        self.told = admission.told_load(self._demand(), self._limits)
