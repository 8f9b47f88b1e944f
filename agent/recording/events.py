"""What the journal keeps of a recording; never what was said in it."""

from enum import StrEnum

KIND = "recording"


class Status(StrEnum):
    """What happened."""

    NOT_STARTED = "not started"
    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    ENDED = "ended"
    FAILED = "failed"
