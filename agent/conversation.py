"""The conversation: the only writer of turns.

Voice, room text and the chat thread all go through it. A turn takes its place here first, is made durable in the
journal, and is announced after that, in the same order; the model's context and the report are folds over `turns`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from agent.journal import Journal, JournalError
from agent.turns import Channel, Speaker, Turn

logger = logging.getLogger("agent.conversation")

Announce = Callable[[Turn], None]


class Conversation:
    """The turns of one conversation during one call.

    Args:
        conversation_id: the thread.
        call_id: the call whose turns these are.
        journal: where a turn becomes durable.
        announce: told of each turn of the call, in order, once it is durable (or cannot be: see `journal_failed`).
    """

    def __init__(self, conversation_id: str, call_id: str, journal: Journal, announce: Announce) -> None:
        self.id = conversation_id
        self.call_id = call_id
        self.journal_failed = False
        self._journal = journal
        self._announce = announce
        self._turns: dict[str, Turn] = {}
        self._unwritten: asyncio.Queue[Callable[[], Awaitable[None]] | None] = asyncio.Queue()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All turns known to this call, those of the thread before it included, in order."""
        return tuple(self._turns.values())

    def find(self, turn_id: str) -> Turn | None:
        """The turn with this id, if it is known."""
        return self._turns.get(turn_id)

    def last_user_turn(self) -> Turn | None:
        """The latest turn of the user, which a reply answers."""
        return next((turn for turn in reversed(self._turns.values()) if turn.speaker is Speaker.USER), None)

    def remember(self, turns: Iterable[Turn]) -> None:
        """Turns that stood in the thread before this call: context, neither written nor announced again."""
        for turn in turns:
            self._turns.setdefault(turn.id, turn)

    def add(self, turn: Turn) -> bool:
        """A turn of this call; False when its id is known already, so that nothing stands twice.

        Returns at once: the disk is awaited by `run`, the order is fixed here.
        """
        if turn.id in self._turns:
            return False
        self._turns[turn.id] = turn
        self._unwritten.put_nowait(lambda: self._write_and_announce(turn))
        return True

    def add_from_thread(self, turn: Turn) -> bool:
        """A turn that the thread has already (typed there); kept durable for the report, not announced again."""
        if turn.id in self._turns:
            return False
        self._turns[turn.id] = turn
        self._unwritten.put_nowait(lambda: self._write(turn, delivered=True))
        return True

    def delivered(self, turn_id: str, seq: int | None) -> None:
        """The thread has acknowledged a turn."""
        if (turn := self._turns.get(turn_id)) is not None:
            self._turns[turn_id] = turn.with_seq(seq)
        self._unwritten.put_nowait(lambda: self._journal.mark_delivered(turn_id, seq))

    async def run(self) -> None:
        """Write what is added until `finish` is called; the call's task for this conversation."""
        while (write := await self._unwritten.get()) is not None:
            try:
                await write()
            except JournalError as error:
                self._report_failure(error)

    def finish(self) -> None:
        """Nothing more will come: `run` returns once everything is written."""
        self._unwritten.put_nowait(None)

    async def _write_and_announce(self, turn: Turn) -> None:
        try:
            await self._write(turn, delivered=False)
        except JournalError as error:
            self._report_failure(error)
        self._announce(turn)

    async def _write(self, turn: Turn, *, delivered: bool) -> None:
        await self._journal.append(turn, delivered=delivered)

    def _report_failure(self, error: JournalError) -> None:
        if not self.journal_failed:
            logger.error("the journal cannot be written, the call goes on without it: %s", error)
        self.journal_failed = True


def typed_in_thread(turn: Turn) -> bool:
    """Whether a person wrote this turn instead of saying it."""
    return turn.speaker is Speaker.USER and turn.channel is not Channel.VOICE
