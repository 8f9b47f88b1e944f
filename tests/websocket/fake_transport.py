"""A transport without a network: each attempt ends as the test says, and time is what the test makes of it."""

import asyncio
from collections.abc import Callable

from agent.websocket import Address, Options, WebSocketError
from agent.websocket.transport import Link, LinkClosed


class FakeLink:
    """An open link; `end` closes it."""

    subprotocol: str | None = None
    failure: str | None = None
    close_reason = ""

    def __init__(self) -> None:
        self.close_code = 1006
        self.sent: list[str | bytes] = []
        self._messages: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._ended = False

    def say(self, message: str | bytes) -> None:
        """The server sends a message."""
        self._messages.put_nowait(message)

    def end(self, code: int = 1006) -> None:
        """The server closes the link."""
        if not self._ended:
            self._ended, self.close_code = True, code
            self._messages.put_nowait(None)

    async def send(self, data: str | bytes) -> None:
        if self._ended:
            raise LinkClosed(written=False)
        self.sent.append(data)

    async def receive(self) -> str | bytes:
        if (message := await self._messages.get()) is None:
            raise LinkClosed(written=False)
        return message

    async def ping(self, answered: Callable[[], None]) -> None:
        answered()

    async def close(self, code: int, reason: str) -> None:
        self.end(code)

    def abort(self) -> None:
        self.end()


class FakeTransport:
    """Gives each attempt what is next in the script: a link, or an error; then the last one for ever.

    `at_once` is how many attempts there were at the same time, at most.
    """

    def __init__(self, *script: FakeLink | WebSocketError) -> None:
        self._script = list(script)
        self.attempts: list[Address] = []
        self.at_once = 0
        self._now = 0

    async def __call__(self, address: Address, options: Options) -> Link:
        self.attempts.append(address)
        self._now += 1
        self.at_once = max(self.at_once, self._now)
        await asyncio.sleep(0)
        self._now -= 1
        outcome = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(outcome, WebSocketError):
            raise outcome
        return outcome


class FakeTime:
    """A clock that only a pause moves; `pauses` are those that were made, `at_once` how many at the same time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self.at_once = 0
        self._pausing = 0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self._pausing += 1
        self.at_once = max(self.at_once, self._pausing)
        await asyncio.sleep(0)
        self._pausing -= 1
        self.now += seconds
