"""Who is in the room: a person who hangs up ends the call, one whose connection broke or page reloads may return."""

import asyncio
from collections.abc import Callable

from livekit import rtc

PEOPLE = frozenset({rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD, rtc.ParticipantKind.PARTICIPANT_KIND_SIP})
# The person asked for the end, or somebody with the right to did.
DELIBERATE = frozenset(
    {
        rtc.DisconnectReason.CLIENT_INITIATED,
        rtc.DisconnectReason.ROOM_DELETED,
        rtc.DisconnectReason.PARTICIPANT_REMOVED,
        rtc.DisconnectReason.USER_REJECTED,
    }
)


class Presence:
    """Watches the people of one room.

    Args:
        room: the call's room.
        rejoin_seconds: how long an empty room waits for somebody whose connection broke.
        nobody_left: called once, with the reason, when the call is over.
    """

    def __init__(self, room: rtc.Room, rejoin_seconds: float, nobody_left: Callable[[str], None]) -> None:
        self._room = room
        self._rejoin_seconds = rejoin_seconds
        self._nobody_left = nobody_left
        self._timer: asyncio.TimerHandle | None = None
        room.on("participant_connected", self._joined)
        room.on("participant_disconnected", self._left)

    def watch(self) -> None:
        """The room is joined: somebody must be there, or come soon."""
        if not self._anybody():
            self._wait_for_return()

    @property
    def anybody(self) -> bool:
        """Whether a person is in the room."""
        return self._anybody()

    def close(self) -> None:
        """Stop watching."""
        self._room.off("participant_connected", self._joined)
        self._room.off("participant_disconnected", self._left)
        self._stop_waiting()

    def _joined(self, participant: rtc.RemoteParticipant) -> None:
        if participant.kind in PEOPLE:
            self._stop_waiting()

    def _left(self, participant: rtc.RemoteParticipant) -> None:
        if participant.kind not in PEOPLE or self._anybody(besides=participant):
            return
        if participant.disconnect_reason in DELIBERATE:
            self._stop_waiting()
            self._nobody_left("hung up")
        elif self._timer is None:
            self._wait_for_return()

    def _anybody(self, besides: rtc.RemoteParticipant | None = None) -> bool:
        return any(p.kind in PEOPLE and p is not besides for p in self._room.remote_participants.values())

    def _wait_for_return(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._rejoin_seconds, self._nobody_left, "connection lost")

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
