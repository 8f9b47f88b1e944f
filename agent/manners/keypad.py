"""The keys that a caller on the telephone presses (DTMF): what they say is a typed turn."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from livekit import rtc

from agent.call.room_text import Hears
from agent.manners.digits import Digits

EVENT: Final = "sip_dtmf_received"


class Keypad:
    """Listens to the keys in the room of one call.

    Args:
        room: the room.
        take: gets each message, such as `1234#`.
        pressed: told of each key.
    """

    def __init__(self, room: rtc.Room, take: Callable[[str], None], pressed: Callable[[], None]) -> None:
        self._room = room
        self._take = take
        self._pressed = pressed
        self._digits = Digits()
        self._timer: asyncio.TimerHandle | None = None
        self._hears: Hears | None = None

    def listen(self, hears: Hears) -> None:
        """From now on, to the one whom the session hears; to anybody until there is one."""
        self._hears = hears
        self._room.on(EVENT, self._on_key)

    def close(self) -> None:
        """Listen no more; what is not complete is a message all the same."""
        if self._hears is not None:
            self._room.off(EVENT, self._on_key)
            self._hears = None
        self.flush()

    def flush(self) -> None:
        """What was pressed so far is a message: something else comes after it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._pass_on(self._digits.take())

    def _on_key(self, event: rtc.SipDTMF) -> None:
        person = self._hears.linked_participant if self._hears is not None else None
        if person is not None and event.participant is not None and event.participant.identity != person.identity:
            return
        self._pressed()
        self._pass_on(self._digits.press(event.digit, time.monotonic()))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (ends_at := self._digits.ends_at) is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, ends_at - time.monotonic()), self.flush)

    def _pass_on(self, message: str | None) -> None:
        if message is not None:
            self._take(message)
