"""The conversation: one place for each turn, durable before it is announced."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.conversation import Conversation
from agent.journal import Journal, JournalError
from agent.turns import Channel, Speaker, Turn
from tests.support.turns import make_turn


@asynccontextmanager
async def conversation(journal: Journal, announced: list[Turn]) -> AsyncIterator[Conversation]:
    """A conversation whose writer runs; on leaving, everything is written."""
    made = Conversation("c", "call", journal, announced.append)
    writer = asyncio.create_task(made.run())
    yield made
    made.finish()
    await writer


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "j.db")


async def test_turns_are_announced_once_in_order_and_durable(journal: Journal) -> None:
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


async def test_a_typed_turn_of_the_thread_is_kept_but_not_sent_back(journal: Journal) -> None:
    """What came from the thread never goes to it again."""
    announced: list[Turn] = []
    async with conversation(journal, announced) as c:
        assert c.add_from_thread(make_turn("typed", channel=Channel.CHAT))
    assert announced == []
    assert [turn.text for turn in await journal.turns_of_call("call")] == ["typed"]
    assert await journal.pending("c") == []
    journal.close()


async def test_what_stood_before_the_call_is_context_only(journal: Journal) -> None:
    """History is known to the conversation, and neither written nor announced."""
    announced: list[Turn] = []
    old = make_turn("old", id="old")
    async with conversation(journal, announced) as c:
        c.remember([old])
        assert not c.add(make_turn("again", id="old"))
        assert c.turns == (old,)
    assert announced == []
    journal.close()


async def test_an_acknowledgement_is_written(journal: Journal) -> None:
    """A delivered turn is not pending, and knows its place in the thread."""
    turn = make_turn()
    async with conversation(journal, []) as c:
        c.add(turn)
        c.delivered(turn.id, 4)
        assert c.turns[0].seq == 4
    assert await journal.pending("c") == []
    journal.close()


async def test_a_reply_answers_the_latest_words_of_the_user(journal: Journal) -> None:
    """The latest turn of the user is found behind the agent's."""
    async with conversation(journal, []) as c:
        c.add(make_turn("question", id="q"))
        c.add(make_turn("answer", speaker=Speaker.ASSISTANT))
        found = c.last_user_turn()
    assert found is not None
    assert found.id == "q"
    journal.close()


class FullDisk(Journal):
    """A journal whose disk is full."""

    async def append(self, turn: Turn, *, delivered: bool = False) -> None:
        raise JournalError("disk full")


async def test_a_full_disk_does_not_stop_the_call(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The turn still reaches the thread; the failure is reported once and without the words."""
    announced: list[Turn] = []
    journal = FullDisk(tmp_path / "j.db")
    async with conversation(journal, announced) as c:
        c.add(make_turn("my secret"))
        c.add(make_turn("my other secret"))
    assert len(announced) == 2
    assert c.journal_failed
    assert len(caplog.records) == 1
    assert "secret" not in caplog.text
    journal.close()
