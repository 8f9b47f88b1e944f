"""What a journal keeps and owes, whatever it is kept in."""

from dataclasses import dataclass
from typing import Protocol

from agent.journal.outbox import Aftercare, Notice, Outbox
from agent.journal.records import CallEvent, CallRecord
from agent.turns import Turn


class JournalError(RuntimeError):
    """The journal cannot be opened, read or written; the message says which one and why."""


class JournalDamaged(JournalError):
    """The journal's file is there and is not what it should be."""


class Fenced(RuntimeError):
    """Another process has taken the call's room over: what this one writes does not count any more."""


@dataclass(frozen=True, slots=True)
class Fence:
    """What must be true of a room for a call to write: it has not changed hands since (see `agent.leases`)."""

    room: str
    epoch: int


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A turn as the journal keeps it: when it was written and when the thread acknowledged it (None: not yet)."""

    turn: Turn
    written_at: float
    delivered_at: float | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many turns the thread has not acknowledged, and when the oldest was written (seconds since the epoch)."""

    turns: int
    oldest: float | None


class Journal(Protocol):
    """The turns and calls of one host or of several. Every method raises JournalError when the store fails.

    Append-only but for the marks of delivery and of a call's end, and for what `prune` removes.
    """

    @property
    def durable(self) -> bool:
        """Whether what is written outlives this process."""

    @property
    def outbox(self) -> Outbox:
        """What is owed for calls beside their turns."""

    async def append(
        self, turn: Turn, *, delivered: bool = False, fence: Fence | None = None, notice: Notice | None = None
    ) -> None:
        """Write a turn and sync it to the disk; a turn whose id is there already is left as it is.

        Args:
            turn: the turn.
            delivered: the thread has it already, because it came from there.
            fence: checked in the transaction that writes.
            notice: what a webhook is told of it.

        Raises:
            Fenced: the room has changed hands; nothing is written.
        """

    async def mark_delivered(self, turn_id: str, seq: int | None) -> None:
        """The thread has shown this turn, at this place if it says one."""

    async def mark_given_up(self, turn_id: str) -> None:
        """The thread's server does not take this turn: nothing that was said later waits for it any more."""

    async def pending(self, conversation_id: str) -> list[Turn]:
        """What calls have left: turns that the thread has not acknowledged and that no living call brings, in order.

        Nothing from the first turn on that a living call is still bringing: what was said later comes later.
        """

    async def conversations_pending(self) -> list[str]:
        """The conversations in which something is pending, the longest waiting first."""

    async def latest_turns(self, conversation_id: str, limit: int) -> list[Turn]:
        """The latest turns of a conversation, of whatever call, in order."""

    async def backlog(self) -> Backlog:
        """How much the thread has not acknowledged, over all conversations."""

    async def entries_of_call(self, call_id: str) -> list[JournalEntry]:
        """All turns of one call in the order of the conversation, each with its place in the thread if known."""

    async def call_started(
        self, call: CallRecord, aftercare: Aftercare | None = None, notice: Notice | None = None
    ) -> None:
        """A call begins in this process; a call whose id is there already is left as it is.

        Its turns are brought to the thread by this process, until `hand_over`, `call_ended`, or the process's end. Two
        who did that would send the same turn twice to a server that ignores ids.

        Args:
            call: the call.
            aftercare: what is owed for it beside its turns.
            notice: what a webhook is told of it.
        """

    async def hand_over(self, call_id: str) -> None:
        """A call does not bring its turns to the thread any more: what is undelivered is left to others."""

    async def call_ended(self, call_id: str, reason: str) -> None:
        """A call is over; the first reason stands."""

    async def calls(self, limit: int) -> list[CallRecord]:
        """The latest calls, the newest first."""

    async def running_calls(self) -> frozenset[str]:
        """The calls that have not ended and whose processes are alive."""

    async def record(self, event: CallEvent, notice: Notice | None = None) -> None:
        """Something happened in a call; `notice` is what a webhook is told of it."""

    async def events_of_call(self, call_id: str) -> list[CallEvent]:
        """What happened in a call, in order."""

    async def events_of_conversation(self, conversation_id: str, kind: str) -> list[CallEvent]:
        """What of one kind happened in all calls of a conversation, in order."""

    async def claim(self, conversation_id: str, *, before: str | None = None) -> list[Turn] | None:
        """Become the one who brings what calls have left in a conversation.

        A claim lasts until `release`, or until its process is gone; one process may claim the same conversation again.

        Args:
            conversation_id: the conversation.
            before: a call that is about to bring its own turns: what was said before its first turn is asked for, but
                for what others gave up. Without it, everything that is `pending`.

        Returns:
            What is to be brought, in order; with nothing, nothing is claimed. None while others are at it: somebody
            who claimed it, or another living call whose turns stand there.
        """

    async def release(self, conversation_id: str) -> None:
        """Give up the claim, if it is this process's."""

    async def prune(self, before: float) -> int:
        """Remove delivered turns and ended calls from before a time (seconds since the epoch); returns how many turns.

        What is not delivered to the thread stays, however old; notices that wait stay until `Outbox.bound` gives up.
        """

    def close(self) -> None:
        """Finish what is under way and close the store; waits for it."""
