"""What a call makes of models that fail: it stands in the journal, and a caller whom nobody hears is told so."""

import asyncio
import time
from collections.abc import Callable

from livekit.agents import AgentSession

from agent.journal import CallEvent
from agent.journal.forgiving import CallJournal
from agent.journal.records import Detail
from agent.models.reports import Failed, Fallback, Outage, Recovery, Report
from agent.phrases import Phrase

# Said again only after so many seconds: transcription is tried all the time.
SAID_AGAIN_S = 20.0


class ModelTrouble:
    """Takes the reports of one call's models.

    A language model that fails is apologised for where its answer would be (see `FallbackLLM`); nobody would answer a
    user whose words nobody understands, so it is said here.

    Args:
        call_id: the call.
        journal: the call's.
        session: the call's.
        words: the agent's own sentences, in the language of the moment.
    """

    def __init__(
        self, call_id: str, journal: CallJournal, session: AgentSession[None], words: Callable[[Phrase], str]
    ) -> None:
        self._call_id = call_id
        self._journal = journal
        self._session = session
        self._words = words
        self._writes: set[asyncio.Task[None]] = set()
        self._said_at: float | None = None

    def take(self, report: Report) -> None:
        """Something happened to a model."""
        event = CallEvent(self._call_id, time.time(), *_described(report))
        write = asyncio.create_task(self._journal.record(event))
        self._writes.add(write)
        write.add_done_callback(self._writes.discard)
        if isinstance(report, Outage) and report.stage == "stt":
            self._say_that_nobody_hears()

    async def close(self) -> None:
        """Wait until everything is written."""
        await asyncio.gather(*self._writes)

    def _say_that_nobody_hears(self) -> None:
        """Not while somebody speaks: what they say is transcribed once more when they are silent."""
        now = time.monotonic()
        if self._said_at is not None and now - self._said_at < SAID_AGAIN_S:
            return
        if self._session.user_state == "speaking" or self._session.agent_state == "speaking":
            return
        self._said_at = now
        self._session.say(self._words(Phrase.CANNOT_HEAR))


def _described(report: Report) -> tuple[str, dict[str, Detail]]:
    """The kind of event, and its details."""
    match report:
        case Failed(stage, model, why):
            return "error", {"stage": stage, "model": model, "why": why}
        case Fallback(stage, from_model, to_model, why):
            return "fallback", {"stage": stage, "from": from_model, "to": to_model, "why": why}
        case Outage(stage, why):
            return "error", {"stage": stage, "model": "all", "why": why}
        case Recovery(stage, model):
            return "recovery", {"stage": stage, "model": model}
