"""Goes on with calls whose process died: sees a lease that lapsed, removes the ghost and dispatches again.

A livekit-server does neither: the dead agent stays listed in the room until its connection times out, and its dispatch
as running (livekit/agents 1472).
"""

import asyncio
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

import aiohttp
from livekit import api
from livekit.protocol.models import ParticipantInfo

from agent.call.half_said import write_half_said
from agent.job import Job, JobError
from agent.job.loading import load_job
from agent.journal import Journal, JournalError
from agent.leases import Lease, LeaseError, LeaseStore, Tenancy
from agent.metrics.catalogue import TAKEOVERS, WITHOUT_AGENT_SECONDS
from agent.phrases import Phrase, say
from agent.settings import Settings
from agent.turns import Channel, Speaker, Turn
from agent.worker.livekit_api import livekit_api
from agent.worker.unreachable import LOST_AFTER_S, UnreachableRooms

logger = logging.getLogger("agent.takeover")

LOOK_EVERY_S = 0.1
# So long a takeover may last; then another worker begins anew.
RESERVED_S = 10.0
# A node that lives answers in much less; a question for a dead one is lost, also when its room is elsewhere soon.
ANSWER_S = 1.0
# A worker without room leaves a call to others, and looks so often whether it is over.
NO_ROOM_S = 2.0
MOST_TAKEOVERS = 3
PEOPLE = frozenset({ParticipantInfo.Kind.STANDARD, ParticipantInfo.Kind.SIP})

DIED = "its process died"
GIVEN_UP = f"given up after {MOST_TAKEOVERS} takeovers"


@dataclass(frozen=True, slots=True)
class _Noticed:
    """When a call was first seen without an agent, and when it was last looked after (seconds, monotonic)."""

    first_at: float
    looked_at: float


class Takeovers:
    """Watches the leases, and takes over what lapsed. Every worker runs one; one of them is the first.

    Args:
        settings: where LiveKit is.
        leases: the leases.
        journal: where the end of a cut call is written.
        registered: whether LiveKit knows this worker at this moment; before that there may be nobody to take a call.
        metadata_of: what a call was dispatched with, if this worker took it and remembers it; else empty.
        places: how many further calls this worker has room for.
    """

    def __init__(
        self,
        settings: Settings,
        leases: LeaseStore,
        journal: Journal,
        registered: Callable[[], bool],
        metadata_of: Callable[[Tenancy], str],
        places: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._registered = registered
        self._metadata_of = metadata_of
        self._places = places
        self._leases = leases
        self._journal = journal
        self._unreachable = UnreachableRooms()
        self._noticed: dict[str, _Noticed] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._failing = False

    async def run(self) -> None:
        """Watch until cancelled."""
        loop, ended, lookout = asyncio.get_running_loop(), threading.Event(), ThreadPoolExecutor(1, "lookout")
        try:
            async with livekit_api(self._settings) as livekit:
                while True:
                    await self._take_over_what(loop.run_in_executor(lookout, self._lapsed, ended), livekit)
        finally:
            ended.set()
            await asyncio.to_thread(lookout.shutdown)
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    def _lapsed(self, ended: threading.Event) -> list[Lease]:
        """Look in a thread until there is something for the event loop to do, which is woken for nothing else."""
        while not ended.wait(LOOK_EVERY_S):
            if self._registered() and ((lapsed := self._leases.lapsed()) or self._noticed or self._failing):
                return lapsed
        return []

    async def _take_over_what(self, looking: asyncio.Future[list[Lease]], livekit: api.LiveKitAPI) -> None:
        try:
            all_lapsed = await looking
            self._note(all_lapsed)
            for lapsed in all_lapsed:
                if not self._is_for_us(lapsed):
                    continue
                holder = f"takeover:{uuid.uuid4().hex}"
                lease = await asyncio.to_thread(self._leases.reserve, lapsed, holder, RESERVED_S)
                if lease is not None:
                    task = asyncio.create_task(self._take_over(livekit, lease), name="takeover")
                    self._under_way.add(task)
                    task.add_done_callback(self._under_way.discard)
            self._failing = False
        except LeaseError as error:
            if not self._failing:
                logger.error("calls that break off are not taken over: %s", error)
            self._failing = True

    def _note(self, lapsed: list[Lease]) -> None:
        """Keep in mind since when calls are without an agent, of those that still are."""
        now, calls = time.monotonic(), {lease.tenancy.call_id for lease in lapsed}
        kept = {call: n for call, n in self._noticed.items() if call in calls or now - n.looked_at < 2 * RESERVED_S}
        self._noticed = {**{call: _Noticed(now, now) for call in calls}, **kept}

    def _is_for_us(self, lapsed: Lease) -> bool:
        """Whether this worker looks after a call now: where it has room, else only to see whether the call is over."""
        call_id, now = lapsed.tenancy.call_id, time.monotonic()
        noticed = self._noticed[call_id]
        if not self._unreachable.is_due(call_id, now):
            return False
        if not self._places() and now - noticed.looked_at < NO_ROOM_S:
            return False
        self._noticed[call_id] = replace(noticed, looked_at=now)
        return True

    async def _take_over(self, livekit: api.LiveKitAPI, lease: Lease) -> None:
        """Go on with one call. Whatever fails is tried again, when the reservation lapses at the latest."""
        noticed_at = self._noticed[lease.tenancy.call_id].first_at
        try:
            if await self._reached(livekit, lease) and await _next_agent_came(livekit, lease.tenancy):
                WITHOUT_AGENT_SECONDS.observe(time.monotonic() - noticed_at)
        except (api.TwirpError, aiohttp.ClientError) as error:
            logger.warning("LiveKit does not tell whether an agent came (%s)", type(error).__name__)
        except (LeaseError, JournalError) as error:
            logger.error("a takeover failed and is tried again: %s", error)

    async def _reached(self, livekit: api.LiveKitAPI, lease: Lease) -> bool:
        """Whether an agent was dispatched; when LiveKit does not answer for the room, it is soon tried again."""
        call_id = lease.tenancy.call_id
        try:
            dispatched = await self._go_on(livekit, lease)
        except (api.TwirpError, aiohttp.ClientError, TimeoutError) as error:
            seconds = self._unreachable.note(call_id, time.monotonic())
            if seconds == 0.0:
                problem = error.code if isinstance(error, api.TwirpError) else type(error).__name__
                logger.warning("LiveKit does not answer for a room (%s), the takeover waits", problem)
            if seconds < LOST_AFTER_S:
                await asyncio.to_thread(self._leases.abandon, lease)
                return False
            logger.warning("the room of a call that broke off is gone: the call is over", extra={"call_id": call_id})
            await self._end(lease)
            dispatched = False
        self._unreachable.forget(call_id)
        return dispatched

    async def _end(self, lease: Lease) -> None:
        await self._journal.call_ended(lease.tenancy.call_id, DIED)
        await asyncio.to_thread(self._leases.release, lease)

    async def _go_on(self, livekit: api.LiveKitAPI, lease: Lease) -> bool:
        """Whether an agent was dispatched; not when nobody is there any more, none is free, or the call is given up."""
        tenancy = lease.tenancy
        if not tenancy.call_id:  # there was no call as yet; see unanswered.py
            await asyncio.to_thread(self._leases.release, lease)
            return False
        await write_half_said(self._journal, lease)
        if not await _somebody_is_there(livekit, tenancy.room):
            await self._end(lease)
            return False
        gives_up = lease.takeovers_in_a_row(time.time()) >= MOST_TAKEOVERS
        if not gives_up and not self._places():
            await asyncio.to_thread(self._leases.abandon, lease)  # the next who has room takes it
            return False
        # No server answers this for a room that does not exist, or whose node has died.
        async with asyncio.timeout(ANSWER_S):
            dispatch = await _dispatch_of(livekit, lease, self._settings.agent_name)
        metadata = dispatch.metadata if dispatch is not None else await self._remembered(lease)
        await _remove_ghost(livekit, lease)
        if gives_up:
            await self._give_up(livekit, lease, metadata)
            return False
        renewed = await livekit.agent_dispatch.create_dispatch(
            api.CreateAgentDispatchRequest(
                agent_name=dispatch.agent_name if dispatch is not None else self._settings.agent_name,
                room=tenancy.room,
                metadata=metadata,
            )
        )
        await asyncio.to_thread(self._leases.await_dispatch, lease, renewed.id, RESERVED_S)
        await self._journal.call_ended(tenancy.call_id, DIED)
        TAKEOVERS.inc(outcome="taken over")
        logger.warning(
            "a call broke off and is taken over",
            extra={"call_id": tenancy.call_id, "conversation_id": tenancy.conversation_id, "epoch": lease.epoch},
        )
        return True

    async def _remembered(self, lease: Lease) -> str:
        """What the call was dispatched with, when LiveKit has forgotten it: without the user's token, unless this
        worker took the call itself."""
        tenancy = lease.tenancy
        if metadata := self._metadata_of(tenancy):
            return metadata
        if metadata := await asyncio.to_thread(self._leases.job_of, lease):
            logger.warning(
                "LiveKit knows no dispatch of the call any more: it goes on without its user's token, if it had one",
                extra={"call_id": tenancy.call_id},
            )
            return metadata
        logger.warning(
            "LiveKit knows no dispatch of the call any more: it goes on with the worker's defaults",
            extra={"call_id": tenancy.call_id},
        )
        return Job(conversation_id=tenancy.conversation_id).model_dump_json(include={"conversation_id"})

    async def _give_up(self, livekit: api.LiveKitAPI, lease: Lease, metadata: str) -> None:
        """Say in the thread that there is no agent any more, and end the call for the people, too."""
        tenancy = lease.tenancy
        now = time.time()
        notice = Turn(
            id=f"given_up_{tenancy.call_id}",
            conversation_id=tenancy.conversation_id,
            speaker=Speaker.ASSISTANT,
            channel=Channel.CHAT,
            text=say(Phrase.GIVEN_UP, await self._language_of(metadata)),
            started_at=now,
            ended_at=now,
            call_id=tenancy.call_id,
        )
        await self._journal.append(notice)
        await self._journal.call_ended(tenancy.call_id, GIVEN_UP)
        await livekit.room.delete_room(api.DeleteRoomRequest(room=tenancy.room))
        await asyncio.to_thread(self._leases.release, lease)
        TAKEOVERS.inc(outcome="given up")
        logger.error(
            "a call crashes again and again and is given up",
            extra={"call_id": tenancy.call_id, "conversation_id": tenancy.conversation_id},
        )

    async def _language_of(self, metadata: str) -> str:
        try:
            return (await load_job(metadata, self._settings)).agent.language
        except JobError:
            return "en"


async def _somebody_is_there(livekit: api.LiveKitAPI, room: str) -> bool:
    found = await livekit.room.list_participants(api.ListParticipantsRequest(room=room))
    return any(participant.kind in PEOPLE for participant in found.participants)


async def _next_agent_came(livekit: api.LiveKitAPI, dead: Tenancy) -> bool:
    """Wait for another agent; not longer than the reservation lasts, and with it the dispatch."""
    try:
        async with asyncio.timeout(RESERVED_S):
            while True:
                found = await livekit.room.list_participants(api.ListParticipantsRequest(room=dead.room))
                if any(
                    p.kind == ParticipantInfo.Kind.AGENT and p.identity != dead.identity for p in found.participants
                ):
                    return True
                await asyncio.sleep(LOOK_EVERY_S)
    except TimeoutError:
        logger.warning("no worker took a call that broke off, the takeover waits", extra={"call_id": dead.call_id})
        return False


async def _dispatch_of(livekit: api.LiveKitAPI, lease: Lease, agent_name: str) -> api.AgentDispatch | None:
    """What the call was dispatched with, its user's token among it, which is never written to the disk.

    After a restart of livekit-server the person's token has made the room anew, with a dispatch of another id.
    """
    dispatches = await livekit.agent_dispatch.list_dispatch(lease.tenancy.room)
    same = (dispatch for dispatch in dispatches if dispatch.id == lease.tenancy.dispatch_id)
    return next(same, next((d for d in dispatches if d.agent_name == agent_name), None))


async def _remove_ghost(livekit: api.LiveKitAPI, lease: Lease) -> None:
    """The dead agent, who may only hang, is in the room no more, and its dispatch brings nobody back."""
    tenancy = lease.tenancy
    # Who was on a node that died is still listed, and no node answers for them (livekit-server 1.13.5).
    with _tolerating(api.TwirpErrorCode.NOT_FOUND, api.TwirpErrorCode.UNAVAILABLE):
        await livekit.room.remove_participant(api.RoomParticipantIdentity(room=tenancy.room, identity=tenancy.identity))
    with _tolerating(api.TwirpErrorCode.NOT_FOUND):
        await livekit.agent_dispatch.delete_dispatch(tenancy.dispatch_id, tenancy.room)


@contextmanager
def _tolerating(*codes: str) -> Iterator[None]:
    try:
        yield
    except api.TwirpError as error:
        if error.code not in codes:
            raise
