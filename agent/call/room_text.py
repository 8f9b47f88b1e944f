"""What a person types into the room (`lk.chat`), within limits: the library itself reads any amount at any rate."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Protocol

from livekit import rtc

from agent.brains.typed_messages import BURST, INTERVAL_S, MAX_CHARACTERS
from agent.metrics.catalogue import INPUTS_REFUSED
from agent.pace import Pace

logger = logging.getLogger("agent.room_text")

TOPIC = "lk.chat"
READ_TIMEOUT_S = 10.0
MAX_OPEN = 4


class Hears(Protocol):
    """Knows whom the session hears; see `RoomIO`."""

    @property
    def linked_participant(self) -> rtc.RemoteParticipant | None:
        """The person, once there is one."""


class RoomText:
    """Reads typed text from the room of one call.

    Args:
        room: the room.
        take: gets each text and the room's id of it.
    """

    def __init__(self, room: rtc.Room, take: Callable[[str, str], None]) -> None:
        self._room = room
        self._take = take
        self._pace = Pace(BURST, INTERVAL_S, time.monotonic)
        self._reading: set[asyncio.Task[None]] = set()

    def listen(self, hears: Hears) -> None:
        """From now on, to the one whom the session hears; to anybody until there is one."""

        def on_stream(reader: rtc.TextStreamReader, identity: str) -> None:
            person = hears.linked_participant
            if person is None or person.identity == identity:
                self._on_stream(reader)
            else:
                reader.close()

        self._room.register_text_stream_handler(TOPIC, on_stream)

    async def aclose(self) -> None:
        """Listen no more; what is being read is dropped."""
        self._room.unregister_text_stream_handler(TOPIC)
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)

    def _on_stream(self, reader: rtc.TextStreamReader) -> None:
        if len(self._reading) >= MAX_OPEN or not self._pace.allows():
            reader.close()
            self._refuse("room text rate")
        else:
            task = asyncio.create_task(self._read(reader), name="room text")
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)

    async def _read(self, reader: rtc.TextStreamReader) -> None:
        text = ""
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                async for chunk in reader:
                    text += chunk
                    if len(text) > MAX_CHARACTERS:
                        self._refuse("room text length")
                        return
        except (TimeoutError, rtc.StreamError):
            self._refuse("room text incomplete")
            return
        finally:
            reader.close()
        self._take(text, reader.info.stream_id)

    def _refuse(self, why: str) -> None:
        INPUTS_REFUSED.inc(input=why)
        logger.warning("text in the room was refused: %s", why)
