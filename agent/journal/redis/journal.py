"""The journal in Redis: see the package, and `lua/` for what happens to the data.

All requests run on one thread of their own, in the order in which they were made, as in the SQLite journal.
"""

import asyncio
import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, Self

from pydantic import SecretStr

from agent.journal.journal import Backlog, Fence, Fenced, JournalEntry, JournalError
from agent.journal.outbox import Aftercare, Notice
from agent.journal.records import CallEvent, CallRecord
from agent.journal.redis.connection import RedisConnection, RedisDown
from agent.journal.redis.heartbeat import Heartbeat
from agent.journal.redis.outbox import RedisOutbox, notice_texts
from agent.journal.redis.pruning import prune
from agent.journal.redis.reading import as_call, as_event, as_float
from agent.journal.redis.scripts import Argument
from agent.leases import Holder
from agent.turns import Turn

# For what waits in line behind others, too. Each request is bounded by itself (see RedisConnection).
LONGEST_S = 4.0
# Removing what is old is many requests.
LONGEST_PRUNE_S = 60.0


class RedisJournal(AbstractContextManager["RedisJournal"]):
    """See `Journal`. It is usable whenever Redis is, so that nothing raises before the first request.

    Args:
        url: where Redis is; see agent/redis_address.py.
        check: warn of settings of Redis that promise less than a journal should.
        holder: this process; another one for tests.
    """

    def __init__(self, url: SecretStr, *, check: bool = False, holder: Holder | None = None) -> None:
        self.connection = RedisConnection(url)
        self._holder = holder or Holder.current()
        self._process = str(self._holder)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._heartbeat = Heartbeat(self.connection, self._process, check=check)
        self.outbox = RedisOutbox(self._run, self._judge)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """See `Journal.close`."""
        self._heartbeat.stop()
        self._thread.shutdown()
        self.connection.close()

    @property
    def durable(self) -> bool:
        """See `Journal.durable`."""
        return True

    async def append(
        self, turn: Turn, *, delivered: bool = False, fence: Fence | None = None, notice: Notice | None = None
    ) -> None:
        """See `Journal.append`."""
        answer = await self._run(
            "append",
            *(turn.id, turn.conversation_id, turn.call_id, turn.to_json(), time.time(), delivered, turn.seq),
            *((fence.room, fence.epoch) if fence is not None else ("", "")),
            *notice_texts(notice),
        )
        if answer == "fenced":
            raise Fenced(f"the room of call {turn.call_id} was taken over")

    async def mark_delivered(self, turn_id: str, seq: int | None) -> None:
        """See `Journal.mark_delivered`."""
        await self._run("mark_delivered", turn_id, time.time(), seq)

    async def mark_given_up(self, turn_id: str) -> None:
        """See `Journal.mark_given_up`."""
        await self._run("mark_given_up", turn_id, time.time())

    async def pending(self, conversation_id: str) -> list[Turn]:
        """See `Journal.pending`."""
        return [Turn.from_json(line) for line in await self._judge("pending", conversation_id)]

    async def conversations_pending(self) -> list[str]:
        """See `Journal.conversations_pending`."""
        return list(await self._judge("conversations_pending"))

    async def latest_turns(self, conversation_id: str, limit: int) -> list[Turn]:
        """See `Journal.latest_turns`."""
        rows = await self._run("latest_turns", conversation_id, limit)
        return [_turn(line, seq) for line, seq in rows]

    async def backlog(self) -> Backlog:
        """See `Journal.backlog`."""
        answer = await self._run("backlog")
        return Backlog(answer[0], as_float(answer[1]) if len(answer) > 1 else None)

    async def entries_of_call(self, call_id: str) -> list[JournalEntry]:
        """See `Journal.entries_of_call`."""
        return [
            JournalEntry(_turn(line, seq), float(written_at), as_float(delivered_at))
            for line, seq, written_at, delivered_at in await self._run("entries_of_call", call_id)
        ]

    async def call_started(
        self, call: CallRecord, aftercare: Aftercare | None = None, notice: Notice | None = None
    ) -> None:
        """See `Journal.call_started`."""
        owed = (True, aftercare.plan, aftercare.target) if aftercare is not None else (False, None, None)
        about = (call.id, call.conversation_id, call.room, call.started_at, self._process, time.time())
        await self._run("call_started", *about, *owed, *notice_texts(notice))

    async def hand_over(self, call_id: str) -> None:
        """See `Journal.hand_over`."""
        await self._run("hand_over", call_id)

    async def call_ended(self, call_id: str, reason: str) -> None:
        """See `Journal.call_ended`."""
        await self._run("call_ended", call_id, time.time(), reason)

    async def calls(self, limit: int) -> list[CallRecord]:
        """See `Journal.calls`."""
        return [as_call(row) for row in await self._run("calls", limit)]

    async def running_calls(self) -> frozenset[str]:
        """See `Journal.running_calls`."""
        return frozenset(await self._judge("running_calls"))

    async def record(self, event: CallEvent, notice: Notice | None = None) -> None:
        """See `Journal.record`."""
        details = json.dumps(dict(event.details), ensure_ascii=False, separators=(",", ":"))
        about = (event.call_id, event.at, event.kind, details, time.time())
        await self._run("record", uuid.uuid4().hex, *about, *notice_texts(notice))

    async def events_of_call(self, call_id: str) -> list[CallEvent]:
        """See `Journal.events_of_call`."""
        return [as_event(call_id, row)[1] for row in await self._run("events_of_call", call_id)]

    async def events_of_conversation(self, conversation_id: str, kind: str) -> list[CallEvent]:
        """See `Journal.events_of_conversation`."""
        rows = await self._run("events_of_conversation", conversation_id, kind)
        return [event for _, event in sorted((as_event(*row) for row in rows), key=lambda placed: placed[0])]

    async def claim(self, conversation_id: str, *, before: str | None = None) -> list[Turn] | None:
        """See `Journal.claim`."""
        lines = await self._judge("claim", conversation_id, before, self._process)
        return None if lines is None else [Turn.from_json(line) for line in lines]

    async def release(self, conversation_id: str) -> None:
        """See `Journal.release`."""
        await self._run("release", conversation_id, self._process)

    async def prune(self, before: float) -> int:
        """See `Journal.prune`."""

        def work() -> int:
            self._bury_dead()
            return prune(self.connection, before)

        return int(await self._on_thread(work, LONGEST_PRUNE_S))

    async def _run(self, command: str, *arguments: Argument) -> Any:
        return await self._on_thread(lambda: self.connection.run(command, *arguments))

    async def _judge(self, command: str, *arguments: Argument) -> Any:
        """Run a command that judges who lives."""

        def work() -> Any:
            self._bury_dead()
            return self.connection.run(command, *arguments)

        return await self._on_thread(work)

    def _bury_dead(self) -> None:
        """Say which processes of this host are gone: it sees that at once, and the others only when a beat is late."""
        known = (Holder.parse(text) for text in self.connection.run("processes"))
        dead = [str(holder) for holder in known if holder is not None and holder.is_known_to_be_dead()]
        if dead:
            self.connection.run("bury", *dead)

    async def _on_thread(self, work: Any, longest_s: float = LONGEST_S) -> Any:
        try:
            async with asyncio.timeout(longest_s):
                return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except RedisDown as error:
            raise JournalError(str(error)) from None
        except TimeoutError:
            raise JournalError(f"{self.connection.name} is too slow") from None


def _turn(line: str, seq: str | None) -> Turn:
    return Turn.from_json(line).with_seq(int(seq) if seq is not None else None)
