"""Calls for whose room LiveKit does not answer: tried again soon, and not for ever. Pure."""

from dataclasses import dataclass

# A room whose node has died comes up on another one when somebody who was in it connects anew. In between its lease is
# free, for an agent that LiveKit sends by itself.
RETRY_S = 1.0
LOST_AFTER_S = 60.0


@dataclass(frozen=True, slots=True)
class _Trouble:
    since: float
    retry_at: float


class UnreachableRooms:
    """Remembers since when the rooms of broken-off calls have not been reached; times are in seconds, of one clock."""

    def __init__(self) -> None:
        self._troubles: dict[str, _Trouble] = {}

    def note(self, call_id: str, now: float) -> float:
        """The room of a call could not be reached; returns for how long that has been so, 0 for the first time."""
        self._troubles = {
            known: trouble for known, trouble in self._troubles.items() if now - trouble.retry_at < LOST_AFTER_S
        }
        before = self._troubles.get(call_id)
        since = before.since if before is not None else now
        self._troubles[call_id] = _Trouble(since, now + RETRY_S)
        return now - since

    def forget(self, call_id: str) -> None:
        """It was reached, or is given up."""
        self._troubles.pop(call_id, None)

    def is_due(self, call_id: str, now: float) -> bool:
        """Whether to try now."""
        trouble = self._troubles.get(call_id)
        return trouble is None or now >= trouble.retry_at
