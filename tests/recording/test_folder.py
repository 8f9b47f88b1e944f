"""Recordings are kept as long as they are to be, and no longer."""

import asyncio
import logging
import os
import time
from pathlib import Path

import pytest

from agent.recording.folder import DAY_S, find_recording, path_of, remove_old
from agent.recording.upkeep import keep_recordings

NOW = time.time()


def recording(folder: Path, call: str, keep_days: int, age_days: float) -> Path:
    """A recording whose last sound is so old."""
    path = path_of(folder, call, keep_days)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"OggS")
    os.utime(path, (NOW - age_days * DAY_S, NOW - age_days * DAY_S))
    return path


def test_each_recording_is_deleted_in_its_time(tmp_path: Path) -> None:
    """As its profile says, and never later than the worker's settings do."""
    recording(tmp_path, "young", 7, 6.9)
    recording(tmp_path, "old", 7, 7.1)
    recording(tmp_path, "month", 30, 29.0)
    recording(tmp_path, "year", 365, 31.0)
    assert remove_old(tmp_path, NOW, most_days=30) == 2
    assert sorted(path.stem for path in tmp_path.rglob("*.ogg")) == ["month", "young"]


def test_nothing_else_is_touched(tmp_path: Path) -> None:
    """What somebody else put there stays, and a link leads nowhere."""
    elsewhere = tmp_path / "elsewhere" / "a.ogg"
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(b"x")
    os.utime(elsewhere, (0, 0))
    folder = tmp_path / "recordings"
    for name in ("7-days/notes.txt", "kept/a.ogg", "a.ogg", "0-days/a.ogg", "7-days/a b.ogg"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        os.utime(path, (0, 0))
    (folder / "7-days" / "link.ogg").symlink_to(elsewhere)
    assert remove_old(folder, NOW, most_days=30) == 0
    assert elsewhere.exists()
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 6


def test_without_a_folder_there_is_nothing_to_do(tmp_path: Path) -> None:
    """A worker whose calls are not recorded makes none."""
    assert remove_old(tmp_path / "recordings", NOW, most_days=30) == 0
    assert find_recording(tmp_path / "recordings", "AJ_1") is None
    assert list(tmp_path.iterdir()) == []


def test_a_recording_is_found_by_its_call(tmp_path: Path) -> None:
    """Whatever folder it is in."""
    made = recording(tmp_path, "AJ_1", 7, 0)
    recording(tmp_path, "AJ_12", 7, 0)
    assert find_recording(tmp_path, "AJ_1") == made


async def test_the_chore_goes_on_when_something_cannot_be_deleted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said, without a name, and what can be deleted is."""
    (tmp_path / "7-days" / "stuck.ogg" / "inside").mkdir(parents=True)
    os.utime(tmp_path / "7-days" / "stuck.ogg", (0, 0))
    old = recording(tmp_path, "old", 7, 8)
    with caplog.at_level(logging.INFO, "agent.recording"):
        chore = asyncio.create_task(keep_recordings(tmp_path, 30))
        async with asyncio.timeout(30):
            while not caplog.records:
                await asyncio.sleep(0.01)
        chore.cancel()
        await asyncio.gather(chore, return_exceptions=True)
    assert not old.exists()
    assert [record.message for record in caplog.records] == ["old recordings cannot be deleted: Is a directory"]


@pytest.mark.parametrize("call", ["", "../a", "a/b", "a.b", "x" * 129])
def test_an_id_that_could_lead_elsewhere_is_refused(tmp_path: Path, call: str) -> None:
    """The name of a file is the id and nothing else."""
    with pytest.raises(ValueError, match="no name for a file"):
        path_of(tmp_path, call, 7)
