"""What a lease is, and what keeps them."""

from dataclasses import dataclass
from typing import Protocol

from agent.journal import Fence
from agent.journal.processes import ProcessId, this_host

# A call that lived so long did not crash at once: its takeovers are counted anew.
STEADY_S = 60.0


class LeaseError(RuntimeError):
    """The leases cannot be read or written; the message says why."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A process of some host."""

    host: str
    process: ProcessId

    @classmethod
    def current(cls) -> "Holder":
        """This process."""
        return cls(this_host(), ProcessId.current())

    @classmethod
    def parse(cls, text: str) -> "Holder | None":
        """The inverse of `str`; None for what is no process."""
        host, _, rest = text.rpartition("#")
        pid, _, started = rest.partition("@")
        try:
            return cls(host, ProcessId(int(pid), float(started)))
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"{self.host}#{self.process.pid}@{self.process.started:.2f}"

    def is_known_to_be_dead(self) -> bool:
        """Whether the process is gone; no when it runs on another host, of which nothing is known here."""
        return self.host == this_host() and not self.process.is_alive()


@dataclass(frozen=True, slots=True)
class Tenancy:
    """What another worker has to know to take a room over.

    Attributes:
        room: the room.
        call_id: the call, which is the job's id.
        conversation_id: the conversation.
        identity: the agent's identity in the room.
        dispatch_id: the dispatch that brought the job.
    """

    room: str
    call_id: str
    conversation_id: str
    identity: str
    dispatch_id: str


@dataclass(frozen=True, slots=True)
class Lease:
    """A room that is held.

    Attributes:
        tenancy: the call in it.
        epoch: raised by one each time the room changes hands.
        holder: who holds it: a process, or a takeover under way.
        taken_at: since when a call has been in the room, in seconds since the epoch.
        takeovers: how often in a row a call had to be taken over soon after it began.
        resumes: the call that this one goes on with, when that one was cut off.
        saying: what the agent was saying when the lease was last renewed, a turn as JSON; empty when it was silent.
    """

    tenancy: Tenancy
    epoch: int
    holder: str
    taken_at: float
    takeovers: int = 0
    resumes: str = ""
    saying: str = ""

    @property
    def fence(self) -> Fence:
        """What must be true for the call to write."""
        return Fence(self.tenancy.room, self.epoch)

    def takeovers_in_a_row(self, now: float) -> int:
        """How often calls were cut off here soon after they began, up to now (seconds since the epoch)."""
        return 0 if now - self.taken_at > STEADY_S else self.takeovers


class LeaseStore(Protocol):
    """Keeps leases for all workers. All methods block; each raises LeaseError when the store fails."""

    def take(self, tenancy: Tenancy, holder: str, ttl: float, job: str = "") -> Lease | None:
        """Take a room that nobody holds, that was let lapse, or whose takeover dispatched this call.

        Args:
            tenancy: the call.
            holder: who takes it.
            ttl: seconds after which it lapses unless it is renewed.
            job: what the call was dispatched with, as far as it may be written down (`agent.job.durable`).

        Returns:
            None when another one holds it.
        """

    def renew(self, lease: Lease, ttl: float, saying: str = "") -> bool:
        """Hold it for `ttl` seconds more, and say what the agent is saying; False when it is this lease's no more."""

    def release(self, lease: Lease) -> None:
        """The call is over, and what it was dispatched with forgotten."""

    def abandon(self, lease: Lease) -> None:
        """The call is over for this process only: another one may take it over at once."""

    def lapsed(self) -> list[Lease]:
        """Leases that were not renewed in time, or whose process on this host is gone."""

    def reserve(self, lease: Lease, holder: str, ttl: float) -> Lease | None:
        """Begin a takeover of a lapsed lease; None when another one was faster, or it was renewed after all.

        From here on nobody can write with the old lease.
        """

    def await_dispatch(self, lease: Lease, dispatch_id: str, ttl: float) -> bool:
        """The call of this dispatch may take what is reserved; False when the reservation has lapsed meanwhile.

        Asked again for the same dispatch, the answer is the same: an answer may get lost on its way.
        """

    def job_of(self, lease: Lease) -> str:
        """What the call in the lease's room was dispatched with, until it is over; empty when it is not known."""

    def close(self) -> None:
        """Let go of the store."""
