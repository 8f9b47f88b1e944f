"""The journal in a file: what is said and done when the file or its disk is not as it should be."""

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.journal import CallEvent, JournalError, SqliteJournal
from agent.journal.opening import FILE_NAME, open_for_call, open_for_worker
from agent.journal.schema import STEPS
from agent.turns import Turn
from tests.support.turns import make_turn


@pytest.mark.parametrize("content", [b"this is no database at all", b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_damaged_file_is_reported_with_its_name(tmp_path: Path, content: bytes) -> None:
    """The message says which file and what to do."""
    path = tmp_path / "j.db"
    path.write_bytes(content)
    with pytest.raises(JournalError, match=r"j\.db .*move the file away"):
        SqliteJournal(path)


def test_a_newer_journal_is_not_touched(tmp_path: Path) -> None:
    """A file of a newer version is refused, not rewritten."""
    path = tmp_path / "j.db"
    SqliteJournal(path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(JournalError, match="newer version"):
        SqliteJournal(path)


async def test_a_disk_that_fails_is_reported(tmp_path: Path) -> None:
    """A write that cannot be made raises the journal's own error."""
    path = tmp_path / "j.db"
    with SqliteJournal(path) as journal:
        db = sqlite3.connect(path)
        db.execute("DROP TABLE turns")
        db.commit()
        db.close()
        with pytest.raises(JournalError, match="no such table"):
            await journal.append(Turn.from_json(make_turn().to_json()))


async def test_the_space_of_removed_turns_is_given_back(tmp_path: Path) -> None:
    """Pruning makes the file smaller."""
    path = tmp_path / "j.db"
    with SqliteJournal(path) as journal:
        for number in range(200):
            await journal.append(make_turn(f"{number}" * 500), delivered=True)
    full = path.stat().st_size
    with SqliteJournal(path) as journal:
        await journal.prune(time.time() + 3600)
    assert path.stat().st_size < full / 4


async def test_a_file_of_the_first_version_is_brought_to_this_one(tmp_path: Path) -> None:
    """An upgrade of the worker keeps what waits."""
    path = tmp_path / "j.db"
    db = sqlite3.connect(path)
    db.executescript(STEPS[0] + "PRAGMA user_version = 1;")
    old = make_turn("old")
    db.execute(
        "INSERT INTO turns (id, conversation_id, call_id, turn, written_at) VALUES (?, 'c', 'call', ?, 1.0)",
        (old.id, old.to_json()),
    )
    db.commit()
    db.close()
    with SqliteJournal(path) as journal, SqliteJournal(path) as another:
        assert await journal.pending("c") == [old]
        await another.record(CallEvent("call", 1.0, "error"))


def test_processes_that_start_at_once_migrate_once(tmp_path: Path) -> None:
    """Several jobs open a new journal in the same moment."""
    with ThreadPoolExecutor(8) as pool:
        for journal in list(pool.map(lambda _: SqliteJournal(tmp_path / "j.db"), range(8))):
            journal.close()


async def test_a_full_disk_is_reported_and_frees_itself(tmp_path: Path) -> None:
    """The write that did not fit raises; once there is space again, the next one is kept."""
    path = tmp_path / "j.db"
    with SqliteJournal(path) as journal:
        await journal.append(make_turn("fits"))
        await journal._execute("PRAGMA max_page_count = 1")  # SQLite's own way to a full disk: no page can be added
        with pytest.raises(JournalError, match="full"):
            await journal.append(make_turn("too much " * 10_000))
        await journal._execute("PRAGMA max_page_count = 100000")
        await journal.append(make_turn("fits again"))
        assert [turn.text for turn in await journal.pending("c")] == ["fits", "fits again"]


async def test_the_worker_sets_a_damaged_file_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The next calls are durable again, and the damaged file is kept for whoever can read it."""
    (tmp_path / FILE_NAME).write_bytes(b"this is no database at all")
    with open_for_worker(tmp_path) as journal:
        assert journal.durable
        await journal.append(make_turn("kept"))
    aside = next(tmp_path.glob(f"{FILE_NAME}.damaged-*"))
    assert aside.read_bytes() == b"this is no database at all"
    assert aside.name in caplog.text
    with open_for_call(tmp_path) as journal:
        assert [turn.text for turn in await journal.pending("c")] == ["kept"]


async def test_a_call_without_a_usable_file_keeps_its_turns_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The call goes on, and the log says what is wrong with which file."""
    (tmp_path / FILE_NAME).write_bytes(b"this is no database at all")
    with open_for_call(tmp_path) as journal:
        assert not journal.durable
        await journal.append(make_turn("said"))
        assert [turn.text for turn in await journal.pending("c")] == ["said"]
    assert FILE_NAME in caplog.text
    assert "memory" in caplog.text
