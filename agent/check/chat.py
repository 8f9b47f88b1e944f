"""The chat as the worker needs it: a WebSocket that lets it in and stays open, and a history in the right dialect."""

import asyncio
import json

import aiohttp

from agent.chat import unpod
from agent.chat.connection import CHAT_OPTIONS
from agent.chat.dialect import Dialect, dialect_named
from agent.chat.endpoint import ChatEndpoint
from agent.chat.history import HistoryError, fetch_page
from agent.check.causes import unreachable
from agent.check.findings import Probe, Wrong
from agent.check.local import START
from agent.job import Job
from agent.settings import Settings
from agent.websocket import Address, AddressError, ConnectError, HandshakeRefused
from agent.websocket.address import redacted
from agent.websocket.transport import Link, LinkClosed, open_link

ANSWER_TIMEOUT_S = 5.0
# A server that means to throw a client out does so at once.
STAYS_OPEN_S = 1.0
PATH = "check CHAT_API_URL: it ends before conversation/, such as wss://chat.example.com/ws/v1/"
OTHER_DIALECT = {"guide": "unpod", "unpod": "guide"}


class ChatChecks:
    """Looks at one conversation of one chat server.

    Args:
        settings: where the chat is.
        job: whose conversation and token.
        is_local: whether it is the chat of `make dev`.
    """

    def __init__(self, settings: Settings, job: Job, *, is_local: bool) -> None:
        self._name = settings.chat_dialect
        self._dialect: Dialect = dialect_named(settings.chat_dialect)
        self._endpoint = ChatEndpoint.for_job(settings, job)
        self._advice = f"{START}, or set CHAT_API_URL" if is_local else "start it, or correct CHAT_API_URL"
        self._token = "the user's token in the job" if job.user.token is not None else "CHAT_TOKEN"

    def probes(self) -> list[Probe]:
        """What to look at."""
        where = redacted(self._endpoint.websocket_base())
        return [
            Probe("chat", f"WebSocket, {self._name}", where, self._websocket, self._advice),
            Probe("chat", f"history, {self._name}", redacted(self._endpoint.http_base()), self._history, self._advice),
        ]

    async def _websocket(self) -> str:
        """Open, be answered, and not be thrown out."""
        where = self._dialect.websocket(self._endpoint)
        address = Address(where.url, where.params, where.headers)
        try:
            address.check()
            link = await open_link(address, CHAT_OPTIONS)
        except AddressError as error:
            raise Wrong(str(error), f"correct CHAT_API_URL, and {self._token}") from None
        except HandshakeRefused as error:
            raise self._refused(error.status) from None
        except ConnectError as error:
            raise unreachable(error, self._advice, "CHAT_API_URL") from None
        try:
            await self._stays(link)
        except LinkClosed:
            raise self._thrown_out(link.close_code) from None
        finally:
            link.abort()
        return "lets the worker in, answers pings and stays open"

    async def _stays(self, link: Link) -> None:
        """The link is alive: both kinds of ping are answered, and nobody closes it."""
        pong, own_pong = asyncio.Event(), asyncio.Event()
        reading = asyncio.create_task(_read(link, own_pong))
        try:
            await link.ping(pong.set)
            await _until(pong, reading, Wrong("is open, but dead: no ping is answered", self._advice))
            if self._dialect.heartbeat is not None:
                await link.send(unpod.PING)
                mute = Wrong(f"answers no ping of the dialect {self._name}", self._try_other_dialect())
                await _until(own_pong, reading, mute)
            await asyncio.wait({reading}, timeout=STAYS_OPEN_S)
            if reading.done():
                reading.result()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _history(self) -> str:
        asked = self._dialect.history(self._endpoint, 0)
        async with aiohttp.ClientSession() as http:
            try:
                body = await fetch_page(http, asked)
                if body is None:
                    return "there is none (404): a call will not know what was said before it"
                page = self._dialect.read_page(self._endpoint, asked, body, 0)
            except HistoryError as error:
                raise self._no_history(error) from None
            except ValueError:
                raise Wrong("is not in the form of the dialect", self._try_other_dialect()) from None
        if body["results"] and not page.messages:
            raise Wrong("its messages are not in the form of the dialect", self._try_other_dialect())
        return f"can be read; {len(page.messages)} messages on its first page"

    def _no_history(self, error: HistoryError) -> Wrong:
        if isinstance(error.__context__, aiohttp.ClientError | TimeoutError):
            return unreachable(error, self._advice, "CHAT_API_URL")
        if " 401 " in str(error) or " 403 " in str(error):
            return Wrong(str(error), f"check {self._token}, and whether it may read this conversation")
        return Wrong(str(error), PATH)

    def _refused(self, status: int) -> Wrong:
        if status in (401, 403):
            return Wrong(
                f"refuses the worker ({status})",
                f"check {self._token}: it must be valid, not expired, and allowed in this conversation; "
                f"with an anonymous session the server must allow those. {self._try_other_dialect()}",
            )
        if status == 404 or status < 400:
            return Wrong(f"answers, but not as a chat ({status})", PATH)
        if status == 429:
            return Wrong("asks for fewer connections (429)", "something connects again and again: look who, and wait")
        return Wrong(f"answers {status}", "look into the log of the chat server")

    def _thrown_out(self, code: int) -> Wrong:
        """What makes a client connect again and again."""
        return Wrong(
            f"closes the connection at once ({code}), so the worker would connect again and again",
            f"check {self._token}, APP_TYPE and that the conversation exists (--job). {self._try_other_dialect()}",
        )

    def _try_other_dialect(self) -> str:
        return f"If the server speaks the other dialect, set CHAT_DIALECT={OTHER_DIALECT[self._name]}"


async def _read(link: Link, own_pong: asyncio.Event) -> None:
    """Read until the link is closed."""
    while True:
        try:
            frame = json.loads(await link.receive())
        except (ValueError, RecursionError):
            continue
        if isinstance(frame, dict) and frame.get("event") == "pong":
            own_pong.set()


async def _until(event: asyncio.Event, reading: "asyncio.Task[None]", otherwise: Wrong) -> None:
    """Wait for something while the link is open; raises LinkClosed, or `otherwise` when it does not come."""
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait({waiting, reading}, timeout=ANSWER_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            reading.result()
        if not event.is_set():
            raise otherwise
    finally:
        waiting.cancel()
