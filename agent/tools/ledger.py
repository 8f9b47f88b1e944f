"""The record of tool calls in the journal: a writing call stands there before it is sent, its outcome after it.

Only names, times, sizes and outcomes are kept, never what was asked or answered. What was begun by a process that is
gone and has no outcome is reported as unknown, and nobody runs it again.
"""

import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from agent.journal.forgiving import CallJournal
from agent.journal.processes import ProcessId
from agent.journal.records import CallEvent, Detail
from agent.tools.failure import Status

KIND = "tool"


@dataclass(frozen=True, slots=True)
class Begun:
    """A call that has begun.

    Attributes:
        key: its idempotency key: the same for every attempt, and never used for another call.
        tool: the tool's name.
        at: when, in seconds since the epoch.
    """

    key: str
    tool: str
    at: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended.

    Attributes:
        status: how.
        size: bytes that came back.
        characters: what of it reached the model.
        attempts: how often it was tried.
        http: the status code of an HTTP server.
    """

    status: Status
    size: int = 0
    characters: int = 0
    attempts: int = 1
    http: int | None = None


class NotRecorded(Exception):
    """The journal cannot be written, so a call that writes must not begin."""


class ToolLedger:
    """The tool calls of one call.

    Args:
        journal: where they are recorded.
        call_id: the call.
    """

    def __init__(self, journal: CallJournal, call_id: str) -> None:
        self._journal = journal
        self._call_id = call_id
        self._me = ProcessId.current()

    async def begin(self, tool: str, *, writes: bool) -> Begun:
        """A call begins; one that writes is on the disk when this returns.

        Raises:
            NotRecorded: it writes, and the journal does not last.
        """
        begun = Begun(uuid.uuid4().hex, tool, time.time())
        if writes:
            details: dict[str, Detail] = {
                "status": Status.STARTED.value,
                "pid": self._me.pid,
                "process_started": self._me.started,
            }
            await self._record(begun, begun.at, details)
            if self._journal.failed:
                raise NotRecorded
        return begun

    async def end(self, begun: Begun, outcome: Outcome) -> None:
        """A call has ended."""
        now = time.time()
        details: dict[str, Detail] = {
            "status": outcome.status.value,
            "duration_ms": round((now - begun.at) * 1000),
            "size": outcome.size,
            "characters": outcome.characters,
            "attempts": outcome.attempts,
        }
        if outcome.http is not None:
            details["http"] = outcome.http
        await self._record(begun, now, details)

    async def unfinished(self) -> list[Begun]:
        """The writing calls of this conversation whose process ended before their outcome was recorded."""
        return unfinished(await self._journal.events_of_conversation(KIND), ProcessId.is_alive)

    async def _record(self, begun: Begun, at: float, details: dict[str, Detail]) -> None:
        whole = {"key": begun.key, "tool": begun.tool, **details}
        await self._journal.record(CallEvent(self._call_id, at, KIND, whole))


def unfinished(events: Iterable[CallEvent], is_alive: Callable[[ProcessId], bool]) -> list[Begun]:
    """What of these was begun by a process that is gone, and not ended; in order. Pure but for `is_alive`."""
    open_calls: dict[str, tuple[Begun, ProcessId]] = {}
    for event in events:
        details = event.details
        key = str(details["key"])
        if details["status"] == Status.STARTED:
            process = ProcessId(int(details["pid"] or 0), float(details["process_started"] or 0))
            open_calls[key] = Begun(key, str(details["tool"]), event.at), process
        else:
            open_calls.pop(key, None)
    return [begun for begun, process in open_calls.values() if not is_alive(process)]
