"""What is owed for a call beside its turns: notices to a webhook, and the work once the call is over.

A notice is queued in the transaction that writes what it tells of, so that neither is ever there without the other. The
calls write; the worker delivers (see `agent/webhook/delivery.py`) and settles (see `agent/aftercare/settling.py`).
"""

from dataclasses import dataclass
from typing import Protocol

from agent.journal.records import CallRecord


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a webhook is to be told.

    Attributes:
        id: the idempotency key; a notice whose id is queued already is not queued again.
        call_id: the call that it is about. The notices of a call are delivered in the order in which they were queued.
        kind: what happened, such as `turn`.
        at: when, in seconds since the epoch.
        body: what is posted, as JSON.
    """

    id: str
    call_id: str
    kind: str
    at: float
    body: str


@dataclass(frozen=True, slots=True)
class Aftercare:
    """What is to be done for a call; both texts are for the worker to understand.

    Attributes:
        plan: what is to be done once the call is over.
        target: where its notices go; None: there is no webhook.
    """

    plan: str
    target: str | None


@dataclass(frozen=True, slots=True)
class DueNotice:
    """A notice whose time has come.

    Attributes:
        notice: the notice.
        queued_at: when it was queued, in seconds since the epoch.
        attempts: how often it was posted already.
        refusals: how often of these the receiver refused it.
    """

    notice: Notice
    queued_at: float
    attempts: int
    refusals: int


@dataclass(frozen=True, slots=True)
class NoticeRecord:
    """What became of a notice; times are seconds since the epoch, None: it did not come to that."""

    id: str
    kind: str
    queued_at: float
    attempts: int
    delivered_at: float | None
    failed_at: float | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class CallOver:
    """A call that is over and not settled yet.

    Attributes:
        call: the call; without an end when its process was killed.
        plan: see `Aftercare`.
        target: see `Aftercare`.
        summary: what `keep_summary` has kept, if it has.
    """

    call: CallRecord
    plan: str
    target: str | None
    summary: str | None


@dataclass(frozen=True, slots=True)
class Lease:
    """Who works on a call, and until when: two would do it twice.

    Attributes:
        holder: a name that no other process has.
        now: seconds since the epoch.
        until: seconds since the epoch; nobody else touches the call before.
    """

    holder: str
    now: float
    until: float


class Outbox(Protocol):
    """The queue of notices and of calls to be settled. Every method raises JournalError when the store fails."""

    async def calls_over(self, lease: Lease, limit: int) -> list[CallOver]:
        """Calls with an aftercare that have ended, or whose process is gone, the oldest first; they are leased."""

    async def keep_summary(self, call_id: str, summary: str) -> None:
        """The call's summary, as JSON; the first one stands."""

    async def summary_of_call(self, call_id: str) -> str | None:
        """What `keep_summary` has kept."""

    async def settle(self, call_id: str, at: float, notice: Notice | None) -> None:
        """All that was to be done for a call is done; the last notice is queued with that."""

    async def targets(self) -> list[str]:
        """Where notices wait to go."""

    async def due(self, target: str, lease: Lease, limit: int) -> list[DueNotice]:
        """The first waiting notice of each call, if its time has come, the longest due first; the calls are leased."""

    async def delivered(self, notice_id: str, at: float) -> None:
        """The receiver has a notice; what it said is not kept any longer."""

    async def postponed(self, notice_id: str, until: float, problem: str, *, refused: bool) -> None:
        """A notice was not taken and is tried again; `refused`: the receiver said that it does not want it."""

    async def failed(self, notice_id: str, at: float, problem: str) -> None:
        """A notice is given up; the next one of its call may go."""

    async def bound(self, at: float, oldest: float, most: int) -> int:
        """Give up what waits since before `oldest`, and the oldest of what is more than `most`; returns how many."""

    async def leave(self, holder: str) -> None:
        """Give back all leases of a holder that ends."""

    async def notices_of_call(self, call_id: str) -> list[NoticeRecord]:
        """All notices of a call, in order."""
