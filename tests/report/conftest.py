"""A journal with both written calls."""

from pathlib import Path

import pytest

from agent.journal import SqliteJournal
from agent.journal.opening import FILE_NAME
from agent.report.facts import find_call, read_facts
from agent.report.report import Report, build_report
from agent.usage.prices import load_prices
from tests.report.written_calls import STARTED, write_bad_call, write_good_call


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A data folder with a good call and, after it, a bad one."""
    await write_good_call(tmp_path)
    await write_bad_call(tmp_path)
    return tmp_path


@pytest.fixture
async def good(folder: Path) -> Report:
    """The report of the good call."""
    return await report_of(folder, "AJ_good")


@pytest.fixture
async def bad(folder: Path) -> Report:
    """The report of the bad call."""
    return await report_of(folder, "AJ_bad")


async def report_of(folder: Path, call_id: str) -> Report:
    """The report of a call, made at a fixed time."""
    with SqliteJournal(folder / FILE_NAME) as journal:
        facts = await read_facts(journal, await find_call(journal, call_id))
    return build_report(facts, load_prices(None), STARTED + 3_600)
