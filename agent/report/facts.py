"""What the journal holds of one call."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from agent.journal import CallEvent, CallRecord, Journal, JournalEntry
from agent.journal.outbox import NoticeRecord
from agent.recording.folder import find_recording
from agent.summary.summary import Summary

# Who names a call by the beginning of its id looks among so many of the latest.
SEARCHED = 10_000


class State(StrEnum):
    """Whether a call goes on."""

    RUNNING = "running"
    ENDED = "ended"
    LOST = "lost"  # it has no end, and its process is gone


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is kept of a call, unjudged."""

    call: CallRecord
    state: State
    entries: Sequence[JournalEntry]
    events: Sequence[CallEvent]
    notices: Sequence[NoticeRecord]
    summary: Summary | None
    recording: Path | None = None


class NoSuchCall(LookupError):
    """The journal has no such call, or several that begin so; the message says which."""


async def find_call(journal: Journal, wanted: str | None) -> CallRecord:
    """The call with this id, or the only one whose id begins so; without one the latest.

    Raises:
        NoSuchCall: there is none, or there are several.
        JournalError: the journal cannot be read.
    """
    if wanted is None:
        latest = await journal.calls(1)
        if not latest:
            raise NoSuchCall("the journal holds no calls yet")
        return latest[0]
    found = [call for call in await journal.calls(SEARCHED) if call.id.startswith(wanted)]
    exact = [call for call in found if call.id == wanted]
    if exact or len(found) == 1:
        return (exact or found)[0]
    if not found:
        raise NoSuchCall(f"the journal holds no call {wanted!r}; `python -m agent calls` lists them")
    raise NoSuchCall(f"{len(found)} calls begin with {wanted!r}: {', '.join(call.id for call in found[:5])} …")


async def read_facts(journal: Journal, call: CallRecord, recordings: Path | None = None) -> Facts:
    """Everything about one call; raises JournalError when the journal cannot be read.

    Args:
        journal: holds it.
        call: the call.
        recordings: the folder of recordings.
    """
    summary = await journal.outbox.summary_of_call(call.id)
    return Facts(
        call=call,
        state=state_of(call, await journal.running_calls()),
        entries=await journal.entries_of_call(call.id),
        events=await journal.events_of_call(call.id),
        notices=await journal.outbox.notices_of_call(call.id),
        summary=None if summary is None else Summary.from_json(summary),
        recording=None if recordings is None else find_recording(recordings, call.id),
    )


def state_of(call: CallRecord, running: frozenset[str]) -> State:
    """Whether a call goes on."""
    if call.ended_at is not None:
        return State.ENDED
    return State.RUNNING if call.id in running else State.LOST
