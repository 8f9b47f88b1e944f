"""The conversation: one place for each turn, durable before it is announced."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.conversation import MAX_REMEMBERED, Conversation
from agent.journal import CallRecord, Fence, JournalError, Notice, SqliteJournal
from agent.journal.forgiving import CallJournal
from agent.turns import Channel, Turn
from tests.support.turns import make_turn


@asynccontextmanager
async def conversation(journal: SqliteJournal, announced: list[Turn]) -> AsyncIterator[Conversation]:
    """A conversation whose writer runs; on leaving, everything is written."""
    made = Conversation("c", "call", CallJournal(journal, CallRecord("call", "c", "room", 0.0)), announced.append)
    writer = asyncio.create_task(made.run())
    yield made
    made.finish()
    await writer


@pytest.fixture
def journal(tmp_path: Path) -> SqliteJournal:
    return SqliteJournal(tmp_path / "j.db")


async def test_turns_are_announced_once_in_order_and_durable(journal: SqliteJournal) -> None:
    """Each turn reaches the courier after the disk, in the order in which it was said."""
    announced: list[Turn] = []
    said = [make_turn(str(number)) for number in range(10)]
    async with conversation(journal, announced) as c:
        for turn in said:
            assert c.add(turn)
        assert not c.add(said[3])
    assert announced == said
    assert await journal.pending("c") == said
    journal.close()


async def test_a_typed_turn_of_the_thread_is_kept_but_not_sent_back(journal: SqliteJournal) -> None:
    """What came from the thread never goes to it again."""
    announced: list[Turn] = []
    async with conversation(journal, announced) as c:
        assert c.add_from_thread(make_turn("typed", channel=Channel.CHAT))
    assert announced == []
    assert [entry.turn.text for entry in await journal.entries_of_call("call")] == ["typed"]
    assert await journal.pending("c") == []
    journal.close()


async def test_what_stood_before_the_call_is_context_only(journal: SqliteJournal) -> None:
    """History is known to the conversation, and neither written nor announced."""
    announced: list[Turn] = []
    old = make_turn("old", id="old")
    async with conversation(journal, announced) as c:
        c.remember([old])
        assert not c.add(make_turn("again", id="old"))
        assert c.turns == (old,)
    assert announced == []
    journal.close()


async def test_an_acknowledgement_is_written(journal: SqliteJournal) -> None:
    """A delivered turn is not pending, and knows its place in the thread."""
    turn = make_turn()
    async with conversation(journal, []) as c:
        c.add(turn)
        c.delivered(turn.id, 4)
        assert c.turns[0].seq == 4
    assert await journal.pending("c") == []
    journal.close()


class FullDisk(SqliteJournal):
    """A journal whose disk is full."""

    async def append(
        self, turn: Turn, *, delivered: bool = False, fence: Fence | None = None, notice: Notice | None = None
    ) -> None:
        raise JournalError("disk full")


async def test_a_full_disk_does_not_stop_the_call(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The turn still reaches the thread; the failure is reported once and without the words."""
    announced: list[Turn] = []
    journal = FullDisk(tmp_path / "j.db")
    async with conversation(journal, announced) as c:
        c.add(make_turn("my secret"))
        c.add(make_turn("my other secret"))
    assert len(announced) == 2
    assert len(caplog.records) == 1
    assert "secret" not in caplog.text
    journal.close()


async def test_words_that_are_not_final_yet_hold_back_what_follows(journal: SqliteJournal) -> None:
    """A cut reply is written with the words that were heard, and the turn after it comes after it."""
    announced: list[Turn] = []
    heard: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def settle() -> str:
        return await heard

    async with conversation(journal, announced) as c:
        c.add(make_turn("one two three four", id="cut"), settle)
        c.add(make_turn("next", id="next"))
        await asyncio.sleep(0)
        assert announced == []
        heard.set_result("one two")
    assert [(turn.id, turn.text) for turn in announced] == [("cut", "one two"), ("next", "next")]
    assert c.turns[0].text == "one two"
    journal.close()


async def test_a_reply_of_which_nothing_was_heard_is_no_turn(journal: SqliteJournal) -> None:
    """It never was in the conversation."""
    announced: list[Turn] = []

    async def settle() -> str:
        return ""

    async with conversation(journal, announced) as c:
        c.add(make_turn("not a word", id="cut"), settle)
    assert announced == []
    assert c.turns == ()
    journal.close()


async def test_a_crowded_thread_does_not_fill_the_memory(journal: SqliteJournal) -> None:
    """Of what others write, the latest turns are remembered; the call's own are all kept."""
    async with conversation(journal, []) as c:
        c.add(make_turn("mine", id="mine"))
        c.remember(make_turn(str(n), id=str(n)) for n in range(MAX_REMEMBERED + 500))
        assert len(c.turns) == MAX_REMEMBERED + 1
        assert c.find("mine") is not None
        assert c.find("0") is None
        assert c.find(str(MAX_REMEMBERED + 499)) is not None
    journal.close()
