"""How far a call may go: it is announced before, and then the agent takes its leave. No I/O."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from agent.job.spec import Limits

# What is left of a limit when its end is announced: a share of it, but no more than so many seconds.
ANNOUNCED_SHARE = 0.2
LONGEST_ANNOUNCED_S = 30.0


class Limit(Enum):
    """What a call has reached; the values are the reasons that its end is given."""

    DURATION = "maximum duration"
    TURNS = "maximum turns"
    COST = "maximum cost"


class LimitStep(Enum):
    """What is to be done about limits."""

    GO_ON = "nothing"
    ANNOUNCE = "say that the call will end soon"
    LEAVE = "say goodbye and end the call"


@dataclass(frozen=True, slots=True)
class Spent:
    """What a call has used.

    Args:
        seconds: since it began.
        turns: that the person took.
        cost: of its models; None while it is not known.
    """

    seconds: float
    turns: int
    cost: Decimal | None


class LimitPolicy:
    """Watches over the limits of one call.

    Args:
        limits: the limits.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._announced = False

    def reached(self, spent: Spent) -> Limit | None:
        """The limit that is reached, if one is."""
        limits = self._limits
        if limits.max_duration_s is not None and spent.seconds >= limits.max_duration_s:
            return Limit.DURATION
        if limits.max_turns is not None and spent.turns >= limits.max_turns:
            return Limit.TURNS
        if limits.max_cost is not None and spent.cost is not None and spent.cost >= Decimal(str(limits.max_cost)):
            return Limit.COST
        return None

    @property
    def moments(self) -> tuple[float, ...]:
        """When time alone makes something due; seconds since the call began."""
        if (duration := self._limits.max_duration_s) is None:
            return ()
        return duration - _announced_before(duration), duration

    def near(self, spent: Spent) -> bool:
        """Whether a limit is near: a fifth of it is left (at most 30 seconds), or one turn."""
        limits = self._limits
        duration, turns, cost = limits.max_duration_s, limits.max_turns, limits.max_cost
        if duration is not None and duration - spent.seconds <= _announced_before(duration):
            return True
        if turns is not None and 1 < turns <= spent.turns + 1:
            return True
        if cost is None or spent.cost is None:
            return False
        return spent.cost >= Decimal(str(cost)) * Decimal(str(1 - ANNOUNCED_SHARE))

    def step(self, spent: Spent) -> LimitStep:
        """What is to be done now; the end is announced once, however many limits there are."""
        if self.reached(spent) is not None:
            return LimitStep.LEAVE
        if not self._announced and self.near(spent):
            self._announced = True
            return LimitStep.ANNOUNCE
        return LimitStep.GO_ON


def _announced_before(duration: float) -> float:
    """How long before its end a call of this length is said to end soon, in seconds."""
    return min(duration * ANNOUNCED_SHARE, LONGEST_ANNOUNCED_S)
