"""What became of a call's recording, from its events. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.journal import CallEvent
from agent.journal.records import Detail
from agent.recording.events import KIND, Status
from agent.report.wording import duration

OUTCOMES = (Status.NOT_STARTED, Status.STARTED, Status.ENDED, Status.FAILED)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording.

    Attributes:
        status: what is known of it last; `started`: it has no end.
        start_s: when it began, in seconds after the call did; None: it did not.
        seconds: how long it is; None: not known.
        paused_seconds: how much of that is silent on purpose; None: not known.
        why: why there is none, or not all of it; else "".
        file: where it is; None: it is not there (any more).
    """

    status: Status
    start_s: float | None
    seconds: float | None
    paused_seconds: float | None
    why: str
    file: Path | None

    @property
    def sentence(self) -> str:
        """The same in words."""
        match self.status:
            case Status.NOT_STARTED:
                return f"The call was to be recorded and was not: {self.why}."
            case Status.FAILED:
                return f"The recording broke off: {self.why}. What was written before is kept."
            case Status.ENDED:
                paused = f", {duration(self.paused_seconds)} of it paused" if self.paused_seconds else ""
                return f"The call was recorded: {duration(self.seconds or 0.0)}{paused}."
            case _:
                return "The call was recorded; the recording has no end, and holds what was said until shortly before."

    def data(self) -> dict[str, Any]:
        """For programs."""
        return {
            "status": self.status,
            "start_s": None if self.start_s is None else round(self.start_s, 3),
            "seconds": self.seconds,
            "paused_seconds": self.paused_seconds,
            "why": self.why or None,
            "file": None if self.file is None else str(self.file),
        }


def recorded(events: Iterable[CallEvent], started_at: float, file: Path | None) -> Recorded | None:
    """The recording of a call; None: there was to be none.

    Args:
        events: of the call.
        started_at: when the call began, in seconds since the epoch.
        file: where the recording is, if it is there.
    """
    told = [event for event in events if event.kind == KIND and event.details.get("status") in OUTCOMES]
    if not told:
        return None
    begun = next((event.at - started_at for event in told if event.details["status"] == Status.STARTED), None)
    last = told[-1].details
    return Recorded(
        status=Status(str(last["status"])),
        start_s=begun,
        seconds=_number(last.get("seconds")),
        paused_seconds=_number(last.get("paused_seconds")),
        why=str(last.get("why", "")),
        file=file,
    )


def _number(value: Detail) -> float | None:
    return float(value) if isinstance(value, int | float) else None
