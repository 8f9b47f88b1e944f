"""The chat's memory: conversations, their messages in order, and the rooms of their calls, in one SQLite file.

Everything runs in one thread of its own, one operation after the other, so that the event loop never waits for the
disk and a message takes its `seq` in the transaction that stores it.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from agent.dev.chat.thread.messages import Message, NewMessage
from agent.dev.chat.thread.schema import StoreError, connect
from agent.turns import Channel, Kind, Speaker, to_timestamp

Result = TypeVar("Result")

COLUMNS = (
    "conversation_id, seq, id, role, text, channel, interrupted, reply_to, created_at, author, "
    "conversation_type, block_type, kind"
)


@dataclass(frozen=True, slots=True)
class ConversationRecord:
    """A conversation; `owner` is the key of the principal who opened it, None while only the worker did."""

    id: str
    owner: str | None


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a new message: `is_new` is false when its id was stored before, which `message` then shows."""

    message: Message
    is_new: bool


class ChatStore:
    """The file, opened with `open` and closed with `close`; every operation raises StoreError when the disk fails."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chat-store")
        self._db: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Open the file; raises StoreError when it cannot be used."""

        def work() -> None:
            self._db = connect(self._path)

        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except StoreError:
            self._thread.shutdown(wait=False)
            raise

    async def close(self) -> None:
        """Close the file after everything that was asked before."""

        def work() -> None:
            if self._db is not None:
                self._db.close()
                self._db = None

        await asyncio.get_running_loop().run_in_executor(self._thread, work)
        self._thread.shutdown(wait=True)

    async def open_conversation(self, conversation_id: str, owner: str | None) -> ConversationRecord:
        """The conversation, made if it is new, and owned by `owner` from now on if nobody owns it yet."""

        def work(db: sqlite3.Connection) -> ConversationRecord:
            found = _conversation(db, conversation_id)
            if found is not None and (found.owner is not None or owner is None):
                return found
            db.execute(
                "INSERT INTO conversations (id, owner, created_at) VALUES (?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET owner = excluded.owner",
                (conversation_id, owner, _now()),
            )
            return ConversationRecord(conversation_id, owner)

        return await self._write(work)

    async def conversation(self, conversation_id: str) -> ConversationRecord | None:
        """The conversation, or None when nobody has opened it."""
        return await self._read(lambda db: _conversation(db, conversation_id))

    async def add_all(self, news: Sequence[NewMessage]) -> list[Stored]:
        """Store messages at the ends of their threads, all or none of them; they outlive the process from then on.

        One whose id is there already is returned as it stands.
        """
        return await self._write(lambda db: [_add(db, new) for new in news])

    async def messages_after(self, conversation_id: str, after: int, limit: int) -> list[Message]:
        """Messages whose `seq` is larger than `after`, oldest first, at most `limit`."""
        return await self._select("seq > ? ORDER BY seq LIMIT ?", conversation_id, after, limit)

    async def newest_messages(self, conversation_id: str, skip: int, limit: int) -> list[Message]:
        """Messages newest first: `limit` of them after the `skip` newest."""
        return await self._select("seq > 0 ORDER BY seq DESC LIMIT ? OFFSET ?", conversation_id, limit, skip)

    async def count(self, conversation_id: str) -> int:
        """How many messages the thread has: its last `seq`, as there are no holes."""

        def work(db: sqlite3.Connection) -> int:
            row = db.execute("SELECT coalesce(max(seq), 0) FROM messages WHERE conversation_id = ?", (conversation_id,))
            return int(row.fetchone()[0])

        return await self._read(work)

    async def open_questions(self, conversation_id: str) -> list[Message]:
        """The messages that still wait for an answer, oldest first."""
        return await self._select("open = 1 ORDER BY seq", conversation_id)

    async def close_question(self, conversation_id: str, message_id: str) -> None:
        """The message waits no longer, though nobody answered it."""

        def work(db: sqlite3.Connection) -> None:
            db.execute(
                "UPDATE messages SET open = 0 WHERE conversation_id = ? AND id = ?", (conversation_id, message_id)
            )

        await self._write(work)

    async def add_room(self, room: str, conversation_id: str) -> None:
        """Remember that a room holds a call of this conversation."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR IGNORE INTO rooms VALUES (?, ?, ?)", (room, conversation_id, _now()))

        await self._write(work)

    async def room_conversation(self, room: str) -> str | None:
        """The conversation whose call a room holds, or None for a room that we did not name."""

        def work(db: sqlite3.Connection) -> str | None:
            row = db.execute("SELECT conversation_id FROM rooms WHERE name = ?", (room,)).fetchone()
            return str(row[0]) if row else None

        return await self._read(work)

    async def _select(self, condition: str, conversation_id: str, *values: int) -> list[Message]:
        def work(db: sqlite3.Connection) -> list[Message]:
            query = f"SELECT {COLUMNS} FROM messages WHERE conversation_id = ? AND {condition}"
            return [_message(row) for row in db.execute(query, (conversation_id, *values))]

        return await self._read(work)

    async def _write(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        def transaction(db: sqlite3.Connection) -> Result:
            with _transaction(db):
                return work(db)

        return await self._read(transaction)

    async def _read(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        def run() -> Result:
            if self._db is None:
                raise StoreError("the chat's store is closed")
            try:
                return work(self._db)
            except sqlite3.Error as error:
                raise StoreError(f"{self._path} cannot be used ({error})") from error

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _conversation(db: sqlite3.Connection, conversation_id: str) -> ConversationRecord | None:
    row = db.execute("SELECT id, owner FROM conversations WHERE id = ?", (conversation_id,)).fetchone()
    return ConversationRecord(row[0], row[1]) if row else None


def _add(db: sqlite3.Connection, new: NewMessage) -> Stored:
    found = db.execute(
        f"SELECT {COLUMNS} FROM messages WHERE conversation_id = ? AND id = ?", (new.conversation_id, new.id)
    ).fetchone()
    if found:
        return Stored(_message(found), is_new=False)
    message = _place(db, new)
    _insert(db, message, asks=new.asks)
    if message.role is Speaker.ASSISTANT and message.kind is Kind.SPEECH:  # a note answers nothing
        _close_answered(db, message)
    return Stored(message, is_new=True)


def _place(db: sqlite3.Connection, new: NewMessage) -> Message:
    last = db.execute("SELECT max(seq) FROM messages WHERE conversation_id = ?", (new.conversation_id,)).fetchone()
    return Message(
        conversation_id=new.conversation_id,
        seq=(last[0] or 0) + 1,
        id=new.id,
        role=new.role,
        text=new.text,
        channel=new.channel,
        interrupted=new.interrupted,
        reply_to=new.reply_to,
        created_at=new.created_at or _now(),
        author=new.author,
        kind=new.kind,
        conversation_type=new.conversation_type,
        block_type=new.block_type,
    )


def _insert(db: sqlite3.Connection, message: Message, *, asks: bool) -> None:
    db.execute(
        f"INSERT INTO messages ({COLUMNS}, open) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            message.conversation_id,
            message.seq,
            message.id,
            message.role.value,
            message.text,
            message.channel.value,
            int(message.interrupted),
            message.reply_to,
            message.created_at,
            message.author,
            message.conversation_type,
            message.block_type,
            message.kind.value,
            int(asks),
        ),
    )


def _close_answered(db: sqlite3.Connection, reply: Message) -> None:
    """Close the question that a reply answers and those before it.

    A reply that names no question of this thread answers what was asked before it was begun: a reply that was cut by a
    typed message is stored after it, yet began before, and leaves it open.
    """
    named = db.execute(
        "SELECT seq FROM messages WHERE conversation_id = ? AND id = ?", (reply.conversation_id, reply.reply_to)
    ).fetchone()
    if named:
        condition, value = "seq <= ?", named[0]
    else:
        condition, value = "created_at <= ?", reply.created_at
    db.execute(
        f"UPDATE messages SET open = 0 WHERE conversation_id = ? AND open = 1 AND {condition}",
        (reply.conversation_id, value),
    )


def _message(row: tuple[str, int, str, str, str, str, int, str | None, str, str, str | None, str, str]) -> Message:
    return Message(
        conversation_id=row[0],
        seq=row[1],
        id=row[2],
        role=Speaker(row[3]),
        text=row[4],
        channel=Channel(row[5]),
        interrupted=bool(row[6]),
        reply_to=row[7],
        created_at=row[8],
        author=row[9],
        conversation_type=row[10],
        block_type=row[11],
        kind=Kind(row[12]),
    )


def _now() -> str:
    return to_timestamp(time.time())
