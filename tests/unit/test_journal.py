"""The journal: durable, append-only, in order, and clear when it cannot be."""

import sqlite3
from pathlib import Path

import pytest

from agent.journal import Journal, JournalError
from agent.turns import Turn
from tests.support.turns import make_turn


async def test_turns_wait_in_order_until_they_are_delivered(tmp_path: Path) -> None:
    """What the thread has not acknowledged comes back in the order of the conversation."""
    with Journal(tmp_path / "j.db") as journal:
        first, second, third = make_turn("1"), make_turn("2"), make_turn("3")
        for turn in (first, second, third):
            await journal.append(turn)
        await journal.mark_delivered(second.id, 7)
        assert await journal.pending("c") == [first, third]
        assert [turn.seq for turn in await journal.turns_of_call("call")] == [None, 7, None]


async def test_the_same_id_stands_once(tmp_path: Path) -> None:
    """A turn that is written twice is kept as it was first."""
    with Journal(tmp_path / "j.db") as journal:
        await journal.append(make_turn("first", id="x"))
        await journal.append(make_turn("second", id="x"))
        assert [turn.text for turn in await journal.pending("c")] == ["first"]


async def test_turns_outlive_the_process_that_wrote_them(tmp_path: Path) -> None:
    """What was appended is there for the next worker, without any closing."""
    path = tmp_path / "j.db"
    writer = Journal(path)
    await writer.append(make_turn("kept"))
    with Journal(path) as reader:
        assert [turn.text for turn in await reader.pending("c")] == ["kept"]
        assert await reader.conversations_pending() == ["c"]
    writer.close()


async def test_two_processes_share_one_file(tmp_path: Path) -> None:
    """Jobs write side by side; each sees the other's turns."""
    with Journal(tmp_path / "j.db") as one, Journal(tmp_path / "j.db") as other:
        for number in range(20):
            await (one if number % 2 else other).append(make_turn(str(number)))
        assert [turn.text for turn in await one.pending("c")] == [str(number) for number in range(20)]


async def test_a_turn_from_the_thread_is_not_sent_again(tmp_path: Path) -> None:
    """A turn that was typed in the thread is kept for the report and counts as delivered."""
    with Journal(tmp_path / "j.db") as journal:
        await journal.append(make_turn("typed"), delivered=True)
        assert await journal.pending("c") == []
        assert len(await journal.turns_of_call("call")) == 1


async def test_the_first_reason_of_an_end_stands(tmp_path: Path) -> None:
    """A call ends once."""
    path = tmp_path / "j.db"
    with Journal(path) as journal:
        await journal.call_started("call", "c", "room")
        await journal.call_ended("call", "hung up")
        await journal.call_ended("call", "job shutdown")
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT reason FROM calls").fetchall() == [("hung up",)]
    db.close()


@pytest.mark.parametrize("content", [b"this is no database at all", b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_damaged_file_is_reported_with_its_name(tmp_path: Path, content: bytes) -> None:
    """The message says which file and what to do."""
    path = tmp_path / "j.db"
    path.write_bytes(content)
    with pytest.raises(JournalError, match=r"j\.db .*move the file away"):
        Journal(path)


def test_a_newer_journal_is_not_touched(tmp_path: Path) -> None:
    """A file of a newer version is refused, not rewritten."""
    path = tmp_path / "j.db"
    Journal(path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(JournalError, match="newer version"):
        Journal(path)


async def test_a_disk_that_fails_is_reported(tmp_path: Path) -> None:
    """A write that cannot be made raises the journal's own error."""
    path = tmp_path / "j.db"
    with Journal(path) as journal:
        db = sqlite3.connect(path)
        db.execute("DROP TABLE turns")
        db.commit()
        db.close()
        with pytest.raises(JournalError, match="no such table"):
            await journal.append(Turn.from_json(make_turn().to_json()))
