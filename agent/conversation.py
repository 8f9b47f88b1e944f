"""The conversation: the only writer of turns.

Voice, room text and the chat thread all go through it. A turn takes its place here first, is made durable in the
journal, and is announced after that, in the same order; the model's context and the report are folds over `turns`.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from agent.journal.forgiving import CallJournal
from agent.metrics.turn_watch import TurnWatch
from agent.turns import Channel, Kind, Speaker, Turn

# Of a thread that many write in, a call needs the latest turns.
MAX_REMEMBERED = 2000

Announce = Callable[[Turn], None]
Settle = Callable[[], Awaitable[str]]


class Conversation:
    """The turns of one conversation during one call.

    Args:
        conversation_id: the thread.
        call_id: the call whose turns these are.
        journal: where a turn becomes durable.
        announce: told of each turn of the call, in order, once it is durable (or cannot be: see `CallJournal`).
    """

    def __init__(self, conversation_id: str, call_id: str, journal: CallJournal, announce: Announce) -> None:
        self.id = conversation_id
        self.call_id = call_id
        # The user's turn that the reply under way, or else the next one, answers.
        self.answering: str | None = None
        # Told of each turn of this call as soon as it has its place.
        self.listener: Callable[[Turn], None] = _nobody
        self._journal = journal
        self._announce = announce
        self._watch = TurnWatch()
        self._turns: dict[str, Turn] = {}
        self._remembered: deque[str] = deque()
        self._unwritten: asyncio.Queue[Callable[[], Awaitable[None]] | None] = asyncio.Queue()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All turns known to this call, those of the thread before it included, in order."""
        return tuple(self._turns.values())

    def find(self, turn_id: str) -> Turn | None:
        """The turn with this id, if it is known."""
        return self._turns.get(turn_id)

    def remember(self, turns: Iterable[Turn]) -> None:
        """Turns of the thread that are not of this call: context, neither written nor announced again."""
        for turn in turns:
            if turn.id not in self._turns:
                self._turns[turn.id] = turn
                self._remembered.append(turn.id)
        while len(self._remembered) > MAX_REMEMBERED:
            del self._turns[self._remembered.popleft()]

    def add(self, turn: Turn, settle: Settle | None = None) -> bool:
        """A turn of this call; False when its id is known already, so that nothing stands twice.

        Returns at once: the disk is awaited by `run`, the order is fixed here.

        Args:
            turn: the turn.
            settle: makes the words final before the turn is written; the turns after it wait. With no words left the
                turn is dropped: nobody heard it.
        """
        if turn.id in self._turns:
            return False
        self._take(turn, settle, delivered=False)
        return True

    def add_from_thread(self, turn: Turn, settle: Settle | None = None) -> bool:
        """A turn that the thread has already; kept durable for the report, not announced again. See `add`."""
        if turn.id in self._turns:
            return False
        self._take(turn, settle, delivered=True)
        return True

    def delivered(self, turn_id: str, seq: int | None) -> None:
        """The thread has acknowledged a turn."""
        if (turn := self._turns.get(turn_id)) is not None:
            self._turns[turn_id] = turn.with_seq(seq)
        self._watch.acknowledged(turn_id)
        self._unwritten.put_nowait(lambda: self._journal.mark_delivered(turn_id, seq))

    def given_up(self, turn_id: str) -> None:
        """The thread's server does not take a turn."""
        self._unwritten.put_nowait(lambda: self._journal.mark_given_up(turn_id))

    async def run(self) -> None:
        """Write what is added until `finish` is called; the call's task for this conversation."""
        while (write := await self._unwritten.get()) is not None:
            await write()
        self._watch.close()

    async def written(self) -> None:
        """Wait until everything that was added by now is written and announced."""
        done = asyncio.Event()

        async def mark() -> None:
            done.set()

        self._unwritten.put_nowait(mark)
        await done.wait()

    def finish(self) -> None:
        """Nothing more will come: `run` returns once everything is written."""
        self._unwritten.put_nowait(None)

    def _take(self, turn: Turn, settle: Settle | None, *, delivered: bool) -> None:
        self._turns[turn.id] = turn
        self._unwritten.put_nowait(lambda: self._settle_and_write(turn, settle, delivered=delivered))
        self.listener(turn)

    async def _settle_and_write(self, turn: Turn, settle: Settle | None, *, delivered: bool) -> None:
        if settle is not None:
            turn = replace(turn, text=await settle())
            if not turn.text and not delivered:
                del self._turns[turn.id]
                return
            self._turns[turn.id] = turn
        with self._watch.writing(turn, delivered=delivered):
            written = await self._journal.append(turn, delivered=delivered)
        if written and not delivered:
            self._announce(turn)


def _nobody(turn: Turn) -> None:
    """Nobody wants to know."""


def typed_in_thread(turn: Turn) -> bool:
    """Whether a person wrote this turn instead of saying it."""
    return turn.speaker is Speaker.USER and turn.channel is not Channel.VOICE and turn.kind is Kind.SPEECH
