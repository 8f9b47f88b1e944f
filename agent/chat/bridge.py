"""The bridge between one call and its chat thread: the I/O around the courier's rules.

The call never waits for it: turns and captions are handed over without awaiting, everything from the thread comes as
calls to a `ThreadListener`. Without a chat server the call is the same and its turns wait in the journal.
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from enum import Enum
from typing import Protocol

import aiohttp

from agent.chat.captions import Captions
from agent.chat.connection import CHAT_OPTIONS, chat_client, explain
from agent.chat.courier import Courier, Delivered, Proof, Read
from agent.chat.dialect import Dialect
from agent.chat.endpoint import ChatEndpoint
from agent.chat.frames import Ignored, Malformed, ServerError, ServerFrame, ThreadMessage, TypingNotice
from agent.chat.history import HistoryError, read_history
from agent.metrics.catalogue import CHAT_LINKS, INPUTS_REFUSED, TURNS_REFUSED
from agent.turns import Kind, Speaker, Turn
from agent.websocket import Closed, Message, Opened, Options, SendResult, Stopped, StopReason

logger = logging.getLogger("agent.chat.bridge")

GOODBYE_S = 1.0
ECHO_TIMEOUT_S = 5.0
# The history waits so long for what is left of earlier calls, so that it need not be read twice.
LOAD_S = 0.5
# "Unsupported data", "invalid payload", "too big" (RFC 6455, 7.4.1): the server stopped at a frame that it cannot take.
REFUSING_FRAMES = frozenset({1003, 1007, 1009})
# What the server could not do now it may be able to do later: the turn is sent again when its echo does not come.
TEMPORARY = "server_error"


class Role(Enum):
    """What a bridge is in the thread."""

    ANSWERS = "answers"  # a worker answers: the thread's own responder keeps quiet
    ASKS = "asks"  # the thread's own backend answers what the user says
    CARRIES = "carries"  # brings what is left, and is no part of the conversation


class ThreadListener(Protocol):
    """What a call wants to know of its thread."""

    def thread_read(self, messages: list[ThreadMessage]) -> None:
        """What the thread holds when the first connection opens, oldest first."""

    def thread_message(self, message: ThreadMessage) -> None:
        """A message that came since then, somebody else's or the echo of ours."""

    def thread_typing(self, notice: TypingNotice) -> None:
        """Somebody is typing, thinking or speaking there."""

    def turn_delivered(self, delivered: Delivered) -> None:
        """The thread has one of our turns."""

    def turn_given_up(self, turn_id: str) -> None:
        """The server does not take one of our turns: the bridge does not try it any more."""

    def thread_lost(self) -> None:
        """The thread cannot be reached any more: what is not delivered waits in the journal."""


class Bridge:
    """Carries one call's turns to its thread, and the thread's messages to the call.

    Args:
        endpoint: where the conversation is.
        dialect: how its server speaks.
        leftovers: asked once for the turns of earlier calls that the thread has not acknowledged yet. Nothing is sent
            before it answers, which may take a while: somebody else may be at it.
        listener: told what happens in the thread.
        role: what the bridge is in the thread.
        options: how the connection behaves.
    """

    def __init__(
        self,
        endpoint: ChatEndpoint,
        dialect: Dialect,
        leftovers: Callable[[], Awaitable[Iterable[Turn]]],
        listener: ThreadListener,
        *,
        role: Role,
        options: Options = CHAT_OPTIONS,
    ) -> None:
        self._role = role
        self._endpoint = endpoint
        self._dialect = dialect
        self._listener = listener
        self._leftovers = leftovers
        self._carrying = asyncio.Event()
        self._courier = Courier()
        self._client = chat_client(endpoint, dialect, options)
        self._events = self._client.events()
        self._link: int | None = None
        self._serving: asyncio.Task[None] | None = None
        self._early: list[ServerFrame] = []
        self._has_history = True
        self._captions = Captions(dialect.encode_caption, self._send_if_open)
        self._work = asyncio.Event()
        self._settled = asyncio.Event()
        self._progress = asyncio.Event()
        self._first_time = True
        self._refused = False
        self._after = 0

    @property
    def connected(self) -> bool:
        """Whether the thread is reached right now."""
        return self._link is not None

    @property
    def reached(self) -> bool:
        """Whether the server has ever let us read the thread, or said that we may not."""
        return self._refused or not self._first_time

    @property
    def pending(self) -> int:
        """How many turns the thread has not acknowledged."""
        return self._courier.pending

    def deliver(self, turn: Turn) -> None:
        """Hand over a durable turn; it leaves in order, as soon as the thread is reached."""
        if turn.kind is Kind.SPEECH:
            self._captions.drop(turn.speaker)
        self._courier.add(turn)
        self._settled.clear()
        self._work.set()

    def caption(self, speaker: Speaker, text: str) -> None:
        """Show what a speaker has said so far; the empty text ends it."""
        if self._link is not None:
            self._captions.show(speaker, text)

    def ask_again(self, turn: Turn) -> None:
        """Post a question once more; only at a server that is known to keep ids, as another would store it twice."""
        if self._link is not None and self._courier.proof is Proof.IDS:
            self._client.send_message(self._encode(turn), keep=False, only_on=self._link)

    async def run(self) -> None:
        """Keep the thread connected until `close`, or until that is hopeless; the call's task for the chat."""
        async with aiohttp.ClientSession() as http, self._client, asyncio.TaskGroup() as tasks:
            beside = [tasks.create_task(self._captions.run()), tasks.create_task(self._load())]
            try:
                async for event in self._events:
                    match event:
                        case Opened(link):
                            CHAT_LINKS.inc(event="opened")
                            self._serving = tasks.create_task(self._serve(link, http))
                        case Message(raw):
                            self._take(self._dialect.decode(raw))
                        case Closed(close):
                            CHAT_LINKS.inc(event="closed")
                            self._closed(refused=close.code in REFUSING_FRAMES)
                        case Stopped():
                            self._stopped(event)
                            return
            finally:
                for task in beside:
                    task.cancel()
                self._closed()

    async def settled(self) -> None:
        """Wait until the thread has acknowledged every turn."""
        await self._settled.wait()

    async def close(self, timeout: float) -> None:
        """Wait until every turn is acknowledged, `timeout` seconds at most, say goodbye and stop.

        What is not acknowledged by then stays in the journal.
        """
        if self._link is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._settled.wait(), timeout)
        goodbye = self._dialect.encode_attach(False) if self._role is Role.ANSWERS else None
        if self._link is not None and goodbye is not None:
            self._client.send_message(goodbye, keep=False, only_on=self._link)
        await self._client.aclose(drain=GOODBYE_S)

    async def _serve(self, link: int, http: aiohttp.ClientSession) -> None:
        """One link's life: hello, history, then turns; cancelled when the link ends."""
        if self._role is Role.ANSWERS and (hello := self._dialect.encode_attach(True)) is not None:
            # Before the history: what the server's own responder has answered stands there, it answers no more now.
            self._client.send_message(hello, keep=False, only_on=link)
        try:
            carrying = await self._carries_soon()
            self._begin(link, await self._read_history(http))
            if not carrying:
                await self._carrying.wait()
                # Whoever was at it may have brought something that the first history lacks.
                self._show(self._courier.connected(await self._read_history(http)))
        except HistoryError as error:
            logger.warning("chat: %s; connecting anew", error)
            await self._client.reconnect()
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send_turns(link))
            tasks.create_task(self._watch_echoes())

    async def _load(self) -> None:
        """What is left of earlier calls goes first."""
        self._courier.carry(await self._leftovers())
        self._carrying.set()
        self._note_progress()

    async def _carries_soon(self) -> bool:
        """Whether what is left is known; usually it is, or in a moment."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._carrying.wait(), LOAD_S)
        return self._carrying.is_set()

    async def _read_history(self, http: aiohttp.ClientSession) -> list[ThreadMessage]:
        after = 0 if self._courier.needs_whole_history else self._after
        history = await read_history(http, self._endpoint, self._dialect, after=after)
        self._has_history = history is not None
        self._after = max([self._after, *(m.seq for m in history or () if m.seq is not None)])
        return history or []

    def _closed(self, *, refused: bool = False) -> None:
        self._link = None
        self._early.clear()
        self._courier.disconnected(refused=refused)
        if self._serving is not None:
            self._serving.cancel()
            self._serving = None

    def _take(self, frame: ServerFrame) -> None:
        """What comes while the history is read waits: it may stand there, or come after it."""
        if self._link is not None:
            self._receive(frame)
        else:
            self._early.append(frame)

    def _stopped(self, stopped: Stopped) -> None:
        self._refused = stopped.reason is StopReason.REFUSED
        if stopped.reason is StopReason.CLOSED:
            return
        CHAT_LINKS.inc(event="given up")
        if self._role is Role.CARRIES:
            logger.warning("%s; turns wait in the journal", explain(stopped))
        else:
            logger.error("%s; the call goes on without it, turns wait in the journal", explain(stopped))
        self._listener.thread_lost()

    def _begin(self, link: int, history: list[ThreadMessage]) -> None:
        self._link = link
        read = self._courier.connected(history)
        if self._first_time:
            self._first_time = False
            self._show(replace(read, messages=[]))
            self._listener.thread_read(read.messages)
        else:
            self._show(read)
        for frame in self._early:
            self._receive(frame, early=True)
        self._early.clear()
        self._work.set()

    async def _watch_echoes(self) -> None:
        """A connection can be deaf though pings are answered (CHAT_PROTOCOL): our own echo missing for long says so."""
        while True:
            self._progress.clear()
            try:
                await asyncio.wait_for(self._progress.wait(), ECHO_TIMEOUT_S)
            except TimeoutError:
                if self._courier.awaits_echo:
                    await self._no_echo()

    async def _no_echo(self) -> None:
        silence = self._courier.no_echo(has_history=self._has_history)
        self._give_up(silence.given_up)
        for delivered in silence.delivered:
            logger.warning(
                "chat: the server neither echoes nor has a history, delivery cannot be proven",
                extra={"turn_id": delivered.turn_id},
            )
            self._acknowledge(delivered)
        if silence.reconnect:
            logger.warning("chat: our own echo is missing for %g s; connecting anew", ECHO_TIMEOUT_S)
            await self._client.reconnect()

    async def _send_turns(self, link: int) -> None:
        """Send what the courier says, on this link alone: history decides anew what leaves on the next."""
        while True:
            await self._work.wait()
            self._work.clear()
            idle = not self._courier.awaits_echo
            turns = self._courier.to_send()
            if idle and turns:
                self._progress.set()  # from now on an echo can be missing
            for turn in turns:
                try:
                    sent = self._client.send_message(self._encode(turn), keep=False, only_on=link, ttl=math.inf)
                except ValueError as error:
                    self._refuse(turn.id, str(error))
                    continue
                if await sent is not SendResult.SENT:
                    return  # the link is gone
                if (delivered := self._courier.sent(turn.id)) is not None:
                    self._acknowledge(delivered)

    def _encode(self, turn: Turn) -> str:
        asks = self._role is Role.ASKS and turn.speaker is Speaker.USER
        return self._dialect.encode_question(turn) if asks else self._dialect.encode_turn(turn)

    def _receive(self, frame: ServerFrame, *, early: bool = False) -> None:
        match frame:
            case ThreadMessage() as message:
                self._after = max(self._after, message.seq or 0)
                self._show(self._courier.seen(message, early=early))
            case ServerError() as error:
                logger.warning("chat: the server reports %s", error.code)
                if error.id is not None and error.code != TEMPORARY:
                    self._refuse(error.id, "by the server")
            case Malformed() as malformed:
                INPUTS_REFUSED.inc(input="chat frame")
                logger.warning("chat: a frame was skipped (%s)", malformed.why)
            case TypingNotice() as notice:
                self._listener.thread_typing(notice)
            case Ignored():
                pass

    def _show(self, read: Read) -> None:
        for delivered in read.delivered:
            self._acknowledge(delivered)
        for message in read.messages:
            self._listener.thread_message(message)
        self._give_up(read.given_up)

    def _give_up(self, turns: Iterable[Turn]) -> None:
        for turn in turns:
            logger.error("chat: the server does not take a turn, it stays in the journal", extra={"turn_id": turn.id})
            self._listener.turn_given_up(turn.id)
            self._note_progress()

    def _refuse(self, turn_id: str, why: str) -> None:
        """A turn that cannot be delivered does not hold up the others."""
        if self._courier.refused(turn_id) is not None:
            TURNS_REFUSED.inc()
            logger.error("chat: a turn was refused (%s) and stays in the journal", why, extra={"turn_id": turn_id})
            self._listener.turn_given_up(turn_id)
            self._note_progress()

    def _acknowledge(self, delivered: Delivered) -> None:
        self._listener.turn_delivered(delivered)
        self._note_progress()

    def _note_progress(self) -> None:
        self._work.set()
        self._progress.set()
        if not self._courier.pending:
            self._settled.set()

    async def _send_if_open(self, frame: str | None) -> None:
        if frame is not None and self._link is not None:
            await self._client.send_message(frame, keep=False, only_on=self._link)
