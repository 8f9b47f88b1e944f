"""What LiveKit's native library leaves in a process after calls, as far as the system shows it.

A call that leaves its room by itself leaves nothing. When the server ends it instead (the room is deleted, the agent is
removed, LiveKit is lost for long), the library (livekit 1.1.21) closes the connection while the agent's track hangs on
it, and then cannot take it off: the track is there as long as the process, with a thread that wakes 100 times a second
and often the library's whole runtime, whatever handles are dropped (livekit/rust-sdks#1443).
"""

from contextlib import suppress
from pathlib import Path

# The kernel keeps 15 letters of a thread's name.
SOURCE_THREAD = "AudioSourceCapture"[:15]


def threads_named(pid: int, name: str) -> int:
    """How many threads of a process have this name; 0 when it has ended, and where there is no /proc."""
    found = 0
    with suppress(OSError):  # it may end meanwhile
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                found += (thread / "comm").read_text().strip() == name
    return found
