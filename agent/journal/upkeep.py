"""Keeps the journal from growing for ever."""

import asyncio
import logging
import time

from agent.journal.journal import Journal, JournalError

logger = logging.getLogger("agent.journal")

EVERY_S = 3600.0
DAY_S = 86_400.0


async def keep_pruned(journal: Journal, days: float) -> None:
    """Remove what is delivered and older than so many days, at once and then every hour, until cancelled."""
    while True:
        try:
            removed = await journal.prune(time.time() - days * DAY_S)
        except JournalError as error:
            logger.error("the journal cannot be pruned: %s", error)
        else:
            if removed:
                logger.info("old turns were removed from the journal", extra={"turns": removed})
        await asyncio.sleep(EVERY_S)
