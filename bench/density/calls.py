"""Calls between the caller's program and a worker: begun by explicit dispatch, ended with their room."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from livekit import api

from bench.density.caller_program import CallerProgram
from bench.density.turns import first_audible
from bench.latency.contenders import CALLER, Worker
from bench.latency.servers import BenchError, LiveKit

# From the dispatch to the greeting, with as many others as the machine can hardly carry.
GREETING_S = 60.0


class Overloaded(BenchError):
    """A worker cannot begin so many calls in any reasonable time."""


@dataclass(frozen=True)
class Line:
    """The way from the callers to one worker; made by `line_to`."""

    caller: CallerProgram
    worker: Worker
    livekit: LiveKit
    server: api.LiveKitAPI

    async def join(self, script: str, turn: int) -> str:
        """Somebody goes into a new room and sends room tone; gives the call's name.

        Args:
            script: what they will say.
            turn: with which of its turns they begin.
        """
        call = f"density-{secrets.token_hex(6)}"
        grants = api.VideoGrants(room_join=True, room=call)
        token = api.AccessToken(self.livekit.api_key, self.livekit.api_secret).with_identity(CALLER).with_grants(grants)
        self.caller.tell({"do": "join", "call": call, "token": token.to_jwt(), "script": script, "from": turn})
        await self.caller.until("a caller joins", lambda: self._has("joined", call))
        return call

    async def dispatch(self, call: str) -> float:
        """Send the agent to a call; gives the seconds to its first audible packet.

        Raises:
            Overloaded: it does not greet in time.
            BenchError: a call was lost, or LiveKit does not take the dispatch.
        """
        request = api.CreateAgentDispatchRequest(
            agent_name=self.worker.agent_name, room=call, metadata=json.dumps({"conversation_id": call})
        )
        since = time.monotonic()
        try:
            await self.server.agent_dispatch.create_dispatch(request)
        except (api.TwirpError, aiohttp.ClientError) as error:
            raise BenchError(f"LiveKit does not take a dispatch: {type(error).__name__}") from error
        try:
            async with asyncio.timeout(GREETING_S):
                await self.caller.until(
                    "a caller is greeted", lambda: first_audible(self.caller.events, call, since) is not None
                )
        except TimeoutError:
            raise Overloaded(f"{self.worker.name} has not greeted a caller within {GREETING_S:.0f} s") from None
        heard = first_audible(self.caller.events, call, since)
        assert heard is not None
        return heard - since

    async def until_greeted(self, call: str) -> None:
        """Wait until the agent has said its greeting."""
        await self.caller.until("a greeting ends", lambda: self._has("agent_ended", call))

    def talk(self, call: str) -> None:
        """The caller of a call begins to say their script."""
        self.caller.tell({"do": "talk", "call": call})

    async def hang_up(self, calls: Sequence[str]) -> None:
        """End calls, and their rooms, so that no job waits for a caller who might come back."""
        for call in calls:
            self.caller.tell({"do": "leave", "call": call})
        await self.caller.until("callers hang up", lambda: all(self._has("left", call) for call in calls))
        await asyncio.gather(*(self.server.room.delete_room(api.DeleteRoomRequest(room=call)) for call in calls))

    def _has(self, event: str, call: str) -> bool:
        return any(e.event == event and e.call == call for e in self.caller.events)


@asynccontextmanager
async def line_to(worker: Worker, livekit: LiveKit, caller: CallerProgram) -> AsyncIterator[Line]:
    """The line to a worker."""
    async with api.LiveKitAPI(livekit.url.replace("ws", "http", 1), livekit.api_key, livekit.api_secret) as server:
        yield Line(caller, worker, livekit, server)
