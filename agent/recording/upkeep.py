"""Deletes recordings in time."""

import asyncio
import logging
import time
from pathlib import Path

from agent.recording.folder import remove_old

logger = logging.getLogger("agent.recording")

EVERY_S = 3600.0


async def keep_recordings(folder: Path, most_days: int) -> None:
    """Delete what is older than it is to be kept, at once and then every hour, until cancelled."""
    while True:
        try:
            removed = await asyncio.to_thread(remove_old, folder, time.time(), most_days)
        except OSError as error:
            logger.error("old recordings cannot be deleted: %s", error.strerror or type(error).__name__)
        else:
            if removed:
                logger.info("old recordings were deleted", extra={"recordings": removed})
        await asyncio.sleep(EVERY_S)
