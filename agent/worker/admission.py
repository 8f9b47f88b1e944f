"""Whether a worker takes one more call: what it has on by measure and by count, and its limits. Numbers alone.

Measured load comes late: it is an average of the last seconds, and a call that was accepted a moment ago is not in it.
Of a burst of ten, ten would be taken by a worker that has room for three (livekit/agents 4884). So each call counts
from the moment in which it is accepted, with what a call costs, until the measure shows it.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

# The measure is the mean of so many seconds.
WINDOW_S = 2.5
# From its acceptance until a call uses what a call uses: it joins the room, reads the thread, greets.
START_S = 3.0
# livekit-server sends jobs to nodes whose workers tell less than its `target_load`, 0.7 by default (1.13.5,
# JobRequestAffinity), so what it is told is scaled to that; and to no worker that tells 1 (selectWorkerWeightedByLoad).
TARGET_LOAD = 0.7
FULL = 1.0
# How much of what was measured last goes into the cost of a call, and how far that may go from what was set.
LEARNED_SHARE = 0.1
FURTHEST = 4.0
# Whoever has no limit has room for this many.
MANY = 1000


class Refusal(StrEnum):
    """Why a call is not taken, in words for the log."""

    LOAD = "WORKER_MAX_LOAD is reached"
    CALLS = "WORKER_MAX_CALLS are running"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a worker takes on.

    Attributes:
        load: the share of the CPU from which on no call is taken; infinite: none is too much.
        calls: how many calls at once; 0: as many as the load allows.
    """

    load: float
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Demand:
    """What a worker has on at one moment.

    Attributes:
        measured: share of the CPU that was used in the last seconds, 0 to 1.
        calls: how many calls run or are accepted.
        unseen: how many of them the measure does not show; one that it shows by half counts half.
        cost: share of the CPU that a call uses.
    """

    measured: float
    calls: int
    unseen: float
    cost: float


def unseen_part(age: float) -> float:
    """How much of a call the measure does not show yet, 1 to 0; `age` is in seconds since it was accepted."""
    return min(1.0, max(0.0, 1.0 - (age - START_S) / WINDOW_S))


def load(demand: Demand, limits: Limits) -> float:
    """The share of the CPU that is used or spoken for; at least the share of the allowed calls, times the limit.

    So it reaches `limits.load` when no call is taken, whatever the reason: alerts and autoscalers need this one number.
    """
    by_cpu = demand.measured + demand.unseen * demand.cost
    if not limits.calls:
        return by_cpu
    by_count = demand.calls / limits.calls
    return max(by_cpu, by_count if math.isinf(limits.load) else by_count * limits.load)


def refusal(demand: Demand, limits: Limits) -> Refusal | None:
    """Why no further call is taken; None: there is room."""
    if limits.calls and demand.calls >= limits.calls:
        return Refusal.CALLS
    return Refusal.LOAD if load(demand, limits) >= limits.load else None


def places(demand: Demand, limits: Limits) -> int:
    """How many further calls would be taken if they all came now."""
    if refusal(demand, limits) is not None:
        return 0
    by_count = limits.calls - demand.calls if limits.calls else MANY
    if math.isinf(limits.load):
        return by_count
    # The last one may go beyond the limit, as the first one may that comes to a small machine.
    by_cpu = math.ceil((limits.load - demand.measured - demand.unseen * demand.cost) / demand.cost)
    return max(1, min(by_count, by_cpu, MANY))


def told_load(demand: Demand, limits: Limits) -> float:
    """What livekit-server is told, which sends calls to those who tell less: 0 to 0.7, and 1 when there is no room."""
    if refusal(demand, limits) is not None:
        return FULL
    by_cpu = 0.0 if math.isinf(limits.load) else load(demand, limits) / limits.load
    by_count = demand.calls / limits.calls if limits.calls else 0.0
    # Just below: a node whose workers are all at the target is sent nothing.
    return min(max(by_cpu, by_count), 0.99) * TARGET_LOAD


def learned_cost(cost: float, used: float, calls: int, set_to: float) -> float:
    """The cost of a call after one more measurement.

    Args:
        cost: what it was until now, a share of the CPU.
        used: the share of the CPU that the calls used together, all of them long enough under way to show.
        calls: how many they were, at least one.
        set_to: what the settings say a call costs; the result is within a quarter and four times of that.
    """
    moved = cost + LEARNED_SHARE * (used / calls - cost)
    return min(max(moved, set_to / FURTHEST), set_to * FURTHEST)
