"""Opening the journal, in a file or in Redis, and what is done when it cannot be used: a call never fails for it."""

import logging
import time
from pathlib import Path

from pydantic import SecretStr

from agent.journal.journal import JournalDamaged, JournalError
from agent.journal.redis import RedisJournal
from agent.journal.sqlite import SqliteJournal
from agent.leases import LeaseError, LeaseStore, SqliteLeases
from agent.leases.redis import RedisLeases

logger = logging.getLogger("agent.journal")

FILE_NAME = "journal.db"
NO_URL = SecretStr("")

OpenJournal = SqliteJournal | RedisJournal


def open_for_worker(data_dir: Path, url: SecretStr = NO_URL) -> OpenJournal:
    """The journal for the worker, who comes before its calls: in the Redis at `url`, else in a file of `data_dir`.

    Redis may come later than the worker, which warns of what it is not set to. A damaged file is set aside under
    another name, for `sqlite3 FILE .recover`, and a new one is begun. A file that cannot be used for another reason
    leaves the worker with a journal in memory.
    """
    if url.get_secret_value():
        return RedisJournal(url, check=True)
    path = data_dir / FILE_NAME
    try:
        return SqliteJournal(path)
    except JournalDamaged as error:
        try:
            aside = _set_aside(path)
        except OSError:
            return _in_memory(error)
        logger.error("the journal was damaged and is now %s; a new one is begun", aside)
        return open_for_call(data_dir)
    except JournalError as error:
        return _in_memory(error)


def open_for_call(data_dir: Path, url: SecretStr = NO_URL) -> OpenJournal:
    """The journal for one call; in memory when it is a file that cannot be used."""
    if url.get_secret_value():
        return RedisJournal(url)
    try:
        return SqliteJournal(data_dir / FILE_NAME)
    except JournalError as error:
        return _in_memory(error)


def open_to_read(path: Path, url: SecretStr) -> OpenJournal:
    """The journal of others; raises JournalError when the file cannot be used."""
    return RedisJournal(url) if url.get_secret_value() else SqliteJournal(path)


def open_leases(journal: OpenJournal) -> LeaseStore | None:
    """The leases beside a journal; None when they cannot be kept, and calls that break off are not taken over."""
    if isinstance(journal, RedisJournal):
        return RedisLeases(journal.connection.url)
    if journal.path is None:
        return None
    try:
        return SqliteLeases(journal.path)
    except LeaseError as error:
        logger.error("calls that break off cannot be taken over: %s", error)
        return None


def _in_memory(error: JournalError) -> SqliteJournal:
    logger.error("%s; turns are kept in memory only", error)
    return SqliteJournal(None)


def _set_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%dT%H%M%S')}")
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside
