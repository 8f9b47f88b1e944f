"""Sends an agent to people who wait in a room to which none was sent.

livekit-server drops a dispatch when no worker can take it at that moment (1.13.5, `LaunchJob`: "not dispatching agent
job since no worker is available"), and never tries again. So it is after a restart of livekit-server or of all workers,
and while all workers are full: whoever enters a room then would wait for ever.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable

import aiohttp
from livekit import api
from livekit.protocol.models import ParticipantInfo

from agent.job import JobError
from agent.job.loading import load_job
from agent.leases import LeaseError, LeaseStore, Tenancy
from agent.settings import Settings
from agent.worker.livekit_api import livekit_api
from agent.worker.takeover import PEOPLE

logger = logging.getLogger("agent.unanswered")

LOOK_EVERY_S = 1.0
# A worker that LiveKit has asked answers in less; should it be slower, the lease lets only one agent in.
PATIENCE_S = 2.0
# So long a dispatch may take to become a call; then it is tried again.
RESERVED_S = 10.0


class Unanswered:
    """Looks for such rooms while LiveKit knows this worker. Every worker runs one; leases keep them apart.

    Args:
        settings: where LiveKit is.
        leases: the leases.
        registered: whether LiveKit knows this worker at this moment.
        places: how many further calls this worker has room for; without room it leaves them to others, or to later.
    """

    def __init__(
        self, settings: Settings, leases: LeaseStore, registered: Callable[[], bool], places: Callable[[], int]
    ) -> None:
        self._settings = settings
        self._leases = leases
        self._registered = registered
        self._places = places
        self._answered: set[str] = set()  # rooms, by LiveKit's id
        self._waiting: dict[str, float] = {}  # dispatches without a job, and since when

    async def run(self) -> None:
        """Look until cancelled."""
        async with livekit_api(self._settings) as livekit:
            while True:
                if self._registered():
                    await self._look(livekit)
                await asyncio.sleep(LOOK_EVERY_S)

    async def _look(self, livekit: api.LiveKitAPI) -> None:
        """One look; whatever fails is tried again with the next."""
        try:
            rooms = (await livekit.room.list_rooms(api.ListRoomsRequest())).rooms
            self._answered &= {room.sid for room in rooms}
            waiting: dict[str, float] = {}
            due: list[api.AgentDispatch] = []
            for room in rooms:
                if room.num_participants and room.sid not in self._answered:
                    due += await self._look_into(livekit, room.sid, room.name, waiting)
            self._waiting = waiting
            # Those who have waited longest, and no more than can be taken: what is refused is only asked again.
            due.sort(key=lambda dispatch: waiting[dispatch.id])
            for dispatch in due[: self._places()]:
                await self._dispatch_again(livekit, dispatch)
        except api.TwirpError as error:
            logger.warning("LiveKit refuses to tell who waits (%s)", error.code)
        except (aiohttp.ClientError, TimeoutError) as error:
            logger.warning("LiveKit does not tell who waits (%s)", type(error).__name__)
        except LeaseError as error:
            logger.error("people who wait get no agent: %s", error)

    async def _look_into(
        self, livekit: api.LiveKitAPI, sid: str, room: str, waiting: dict[str, float]
    ) -> list[api.AgentDispatch]:
        """The dispatch of a room in which somebody has waited for long enough, if so it is."""
        ours = [
            d for d in await livekit.agent_dispatch.list_dispatch(room) if d.agent_name == self._settings.agent_name
        ]
        if not ours or any(dispatch.state.jobs for dispatch in ours):
            self._answered.add(sid)
            return []
        present = (await livekit.room.list_participants(api.ListParticipantsRequest(room=room))).participants
        if any(participant.kind == ParticipantInfo.Kind.AGENT for participant in present):
            self._answered.add(sid)  # it came back by itself after a restart of livekit-server
        elif any(participant.kind in PEOPLE for participant in present):
            dispatch = ours[0]
            since = waiting[dispatch.id] = self._waiting.get(dispatch.id, time.monotonic())
            if time.monotonic() - since >= PATIENCE_S:
                if await self._can_be_taken(dispatch):
                    return [dispatch]
                self._answered.add(sid)
        return []

    async def _can_be_taken(self, dispatch: api.AgentDispatch) -> bool:
        """Whether a worker would not refuse the job for what it says; it has said so then."""
        try:
            await load_job(dispatch.metadata, self._settings)
        except JobError:
            return False
        return True

    async def _dispatch_again(self, livekit: api.LiveKitAPI, dispatch: api.AgentDispatch) -> None:
        # Without a conversation, so that the call is a new one and goes on with none.
        nobody = Tenancy(dispatch.room, call_id="", conversation_id="", identity="", dispatch_id=dispatch.id)
        lease = await asyncio.to_thread(self._leases.take, nobody, f"unanswered:{uuid.uuid4().hex}", RESERVED_S)
        if lease is None:
            return  # another worker is at it, or a call begins just now
        renewed = await livekit.agent_dispatch.create_dispatch(
            api.CreateAgentDispatchRequest(
                agent_name=dispatch.agent_name, room=dispatch.room, metadata=dispatch.metadata
            )
        )
        await asyncio.to_thread(self._leases.await_dispatch, lease, renewed.id, RESERVED_S)
        logger.warning("somebody waits in a room to which no agent was sent: dispatched again")
        await livekit.agent_dispatch.delete_dispatch(dispatch.id, dispatch.room)
