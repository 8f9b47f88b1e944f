"""The one way into a thread: stored before it is shown, in order, whatever becomes of who posted it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.dev.chat.thread.messages import Message, NewMessage
from agent.dev.chat.thread.posting import Posting
from agent.dev.chat.thread.schema import StoreError
from agent.dev.chat.thread.store import ChatStore
from agent.turns import Channel, Speaker


@dataclass
class Thread:
    """A posting on a real file, and what it showed; another reader of the file says what was stored by then."""

    store: ChatStore
    reader: sqlite3.Connection
    shown: list[Message] = field(default_factory=list)
    stored_when_shown: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.posting = Posting(self.store, self.show)

    def show(self, message: Message) -> None:
        found = self.reader.execute(
            "SELECT 1 FROM messages WHERE conversation_id = ? AND seq = ? AND id = ?",
            (message.conversation_id, message.seq, message.id),
        ).fetchone()
        self.stored_when_shown.append(found is not None)
        self.shown.append(message)


def new(message_id: str, conversation_id: str = "c1") -> NewMessage:
    return NewMessage(conversation_id, message_id, Speaker.USER, "Hello", Channel.CHAT)


@pytest.fixture
async def thread(tmp_path: Path) -> AsyncIterator[Thread]:
    store = ChatStore(tmp_path / "chat.db")
    await store.open()
    for conversation_id in ("c1", "c2"):
        await store.open_conversation(conversation_id, None)
    reader = sqlite3.connect(tmp_path / "chat.db")
    started = Thread(store, reader)
    yield started
    await started.posting.close()
    reader.close()
    await store.close()


async def test_a_burst_is_stored_before_it_is_shown_and_in_order(thread: Thread) -> None:
    """What comes at once keeps its order and its threads, and nothing is shown before another reader finds it."""
    posts = [new(f"m{n}", f"c{n % 2 + 1}") for n in range(250)]
    results = await asyncio.gather(*(thread.posting.post(post) for post in posts))
    assert [result.message.id for result in results] == [post.id for post in posts]
    assert thread.shown == [result.message for result in results]
    assert thread.stored_when_shown == [True] * 250
    for conversation_id in ("c1", "c2"):
        seqs = [message.seq for message in thread.shown if message.conversation_id == conversation_id]
        assert seqs == list(range(1, 126))


async def test_an_id_that_comes_twice_in_a_burst_is_stored_once(thread: Thread) -> None:
    """The second of two posts with an id gets the message of the first, and only one is shown."""
    first, second = await asyncio.gather(thread.posting.post(new("m1")), thread.posting.post(new("m1")))
    assert (first.is_new, second.is_new) == (True, False)
    assert first.message == second.message
    assert len(thread.shown) == 1


async def test_who_posts_may_leave(thread: Thread) -> None:
    """A message whose poster is cancelled meanwhile is stored and shown all the same, and so is the next one."""
    poster = asyncio.create_task(thread.posting.post(new("m1")))
    await asyncio.sleep(0)
    poster.cancel()
    await asyncio.wait({poster})
    assert poster.cancelled()
    assert (await thread.posting.post(new("m2"))).message.seq == 2
    assert [message.id for message in thread.shown] == ["m1", "m2"]


async def test_what_cannot_be_stored_is_not_shown(thread: Thread) -> None:
    """Its poster is told, nobody is shown it, and the next message is stored."""
    with pytest.raises(StoreError):
        await thread.posting.post(new("m1", "a conversation that nobody opened"))
    assert thread.shown == []
    assert (await thread.posting.post(new("m2"))).message.seq == 1


async def test_closing_waits_for_what_was_posted(thread: Thread) -> None:
    """A close in the middle of a burst leaves nothing behind."""
    posts = [asyncio.create_task(thread.posting.post(new(f"m{n}"))) for n in range(250)]
    await asyncio.sleep(0)
    await thread.posting.close()
    assert len(thread.shown) == 250
    await asyncio.gather(*posts)
