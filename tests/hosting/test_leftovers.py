"""What LiveKit's native library leaves in a process of a call that the server has ended."""

import asyncio
import os

from livekit import api, rtc

from agent.call.room_sink import RoomSink
from agent.hosting.leftovers import SOURCE_THREAD, threads_named
from tests.support.caller import call
from tests.support.livekit_process import LiveKitProcess, livekit_process

TIMEOUT_S = 30.0


def token(server: LiveKitProcess, room: str, who: str) -> str:
    grants = api.VideoGrants(room_join=True, room=room)
    made = api.AccessToken(server.env["LIVEKIT_API_KEY"], server.env["LIVEKIT_API_SECRET"])
    return made.with_identity(who).with_grants(grants).to_jwt()


async def hold_a_call(server: LiveKitProcess) -> None:
    """A call whose person leaves, whose track is taken out, and whose room is deleted then."""
    url, key, secret = (server.env[f"LIVEKIT_{name}"] for name in ("URL", "API_KEY", "API_SECRET"))
    name = "withdraws"
    room, sink = rtc.Room(), RoomSink()
    left, ended = asyncio.Event(), asyncio.Event()
    room.on("participant_disconnected", lambda *_: left.set())
    room.on("disconnected", lambda *_: ended.set())
    async with asyncio.timeout(TIMEOUT_S), api.LiveKitAPI(url, key, secret) as livekit:
        await room.connect(url, token(server, name, "agent"))
        async with call(url, token(server, name, "person")):
            await sink.publish(room)
        await left.wait()
        await sink.withdraw()
        await livekit.room.delete_room(api.DeleteRoomRequest(room=name))
        await ended.wait()
        await room.disconnect()
        await sink.aclose()


async def test_a_track_that_was_taken_out_in_time_leaves_no_thread() -> None:
    """Though the room is deleted afterwards, which else leaves one."""
    before = threads_named(os.getpid(), SOURCE_THREAD)
    async with livekit_process() as server:
        await hold_a_call(server)
    async with asyncio.timeout(TIMEOUT_S):
        while threads_named(os.getpid(), SOURCE_THREAD) > before:
            await asyncio.sleep(0.05)


async def test_without_a_server_withdrawing_ends_in_time() -> None:
    """The end of a call is not held up."""
    async with livekit_process() as server:
        room, sink = rtc.Room(), RoomSink()
        await room.connect(server.env["LIVEKIT_URL"], token(server, "dead", "agent"))
        async with asyncio.timeout(TIMEOUT_S), call(server.env["LIVEKIT_URL"], token(server, "dead", "person")):
            await sink.publish(room)
            await server.kill()
            await sink.withdraw()
            await room.disconnect()
        await sink.aclose()
