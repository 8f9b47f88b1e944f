"""The connection to the chat WebSocket: one link at a time, opened again by the guide's rules.

Never after a close with 1000 and never after we closed; a refused handshake (401, 403) is final; else 1 s, 2 s, 4 s …
at most 30 s with jitter, ten attempts, counted anew only after a link that lived for a while, so that a server that
accepts and drops is not retried for ever.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from agent.chat.dialect import Address
from agent.chat.frames import MAX_FRAME_BYTES

logger = logging.getLogger("agent.chat.connection")

FINAL_STATUSES = frozenset({401, 403, 404})
FINAL_CLOSE_CODES = frozenset({1000, 1008, 4401, 4403})


@dataclass(frozen=True, slots=True)
class ReconnectPolicy:
    """When and how often a link is opened again; durations in seconds."""

    attempts: int = 10
    first_delay: float = 1.0
    longest_delay: float = 30.0
    jitter: float = 0.2
    stable_after: float = 10.0
    open_timeout: float = 10.0
    ping_interval: float = 20.0
    ping_timeout: float = 20.0

    def delay(self, attempt: int, chance: float) -> float:
        """The pause before an attempt (0 is the first), shortened by up to `jitter` as `chance` in [0, 1) says."""
        full = min(self.first_delay * 2.0 ** min(attempt, 32), self.longest_delay)
        return full * (1.0 - self.jitter * chance)

    def may_reconnect(self, close_code: int | None) -> bool:
        """Whether a link that closed with this code (None: it never opened) is opened again."""
        return close_code not in FINAL_CLOSE_CODES


class ChatRefused(RuntimeError):
    """The chat server refused the handshake for good, such as with 401 for bad credentials."""


class ChatConnection:
    """Opens links to one address until told to stop.

    Args:
        address: called before each attempt, so that a token in it is fresh; the result is never logged.
        policy: when to try again.
    """

    def __init__(self, address: Callable[[], Address], policy: ReconnectPolicy | None = None) -> None:
        self._address = address
        self._policy = policy or ReconnectPolicy()
        self._stopped = False

    def stop(self) -> None:
        """No further link is opened; the owner closes the open one."""
        self._stopped = True

    async def links(self) -> AsyncIterator[ClientConnection]:
        """Yield each open link; ask for the next one after the last is done with, whatever ended it.

        Ends when `stop` was called, when a link closed in a way that is final, or when the attempts are used up.

        Raises:
            ChatRefused: the handshake was refused for good (401, 403, 404, or an address that is none).
        """
        failures = 0
        while not self._stopped:
            opened_at = time.monotonic()
            close_code = None
            if (link := await self._open()) is not None:
                async with link:
                    yield link
                close_code = link.close_code
                if time.monotonic() - opened_at >= self._policy.stable_after:
                    failures = 0
            if self._stopped or not self._policy.may_reconnect(close_code):
                return
            if failures >= self._policy.attempts:
                logger.warning("chat: given up after %d attempts; turns wait in the journal", failures)
                return
            await asyncio.sleep(self._policy.delay(failures, random.random()))
            failures += 1

    async def _open(self) -> ClientConnection | None:
        policy = self._policy
        try:
            address = self._address()
            return await connect(
                f"{address.url}?{urlencode(address.params)}" if address.params else address.url,
                additional_headers=address.headers,
                open_timeout=policy.open_timeout,
                ping_interval=policy.ping_interval,
                ping_timeout=policy.ping_timeout,
                close_timeout=2.0,
                max_size=MAX_FRAME_BYTES,
                logger=logging.getLogger("agent.chat.websocket"),
            )
        except InvalidStatus as refusal:
            status = refusal.response.status_code
            if status in FINAL_STATUSES:
                raise ChatRefused(
                    f"the chat server refused the connection with {status}: check CHAT_TOKEN, "
                    "the user's token in the job, and CHAT_API_URL"
                ) from None
            logger.info("chat: the server answered %d", status)
        except InvalidURI:
            raise ChatRefused("CHAT_API_URL is not a WebSocket address") from None
        except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed, EOFError) as error:
            logger.info("chat: no connection (%s)", type(error).__name__)
        return None
