"""Which process gets the next call, and which one is no longer needed. Numbers alone."""

from collections.abc import Sequence
from dataclasses import dataclass

# A process that has had so many calls gets no more: it grows by 0.7 MB with each, which the libraries do not give back.
WORN_OUT_AFTER = 100
# Nor one with so many tracks of calls that are over (see `leftovers`): their threads cost as much as one more call.
MOST_STRANDED = 4
# After a process has died with its calls, each call gets a process of its own for so many seconds. Nobody knows which
# of them killed it: if it does so again, it does it alone, and only its own takeovers count (see `agent.leases`).
APART_S = 60.0


@dataclass(frozen=True, slots=True)
class Occupancy:
    """A process for calls.

    Attributes:
        seats: how many calls it may have at once.
        taken: how many it has, those that wait loaded for a job included.
        opened: how many it has ever had.
        stranded: how many tracks it has at least of calls that are over.
        usable: whether it runs, or is about to.
    """

    seats: int
    taken: int
    opened: int
    stranded: int
    usable: bool

    @property
    def has_room(self) -> bool:
        """Whether it can take one more call."""
        worn_out = self.opened >= WORN_OUT_AFTER or self.stranded >= MOST_STRANDED
        return self.usable and self.taken < self.seats and not worn_out


def choose(processes: Sequence[Occupancy], *, apart: bool = False) -> int | None:
    """The index of the process that takes the next call, the fullest that has room; None: another one is needed.

    Args:
        processes: those that there are.
        apart: whether the call is to have one for itself.
    """
    fitting = [
        (process.taken, -index)
        for index, process in enumerate(processes)
        if process.has_room and (process.taken == 0 or not apart)
    ]
    return -max(fitting)[1] if fitting else None


def is_spare(process: Occupancy, others: Sequence[Occupancy]) -> bool:
    """Whether a process can go: it has no call, and the next call has room elsewhere or will not get it here."""
    return process.taken == 0 and (not process.has_room or any(other.has_room for other in others))
