"""The stacks that py-spy saw, from its lines in raw format (`--threads --format raw`); pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

# "thread (3172): inference.vad_0"; a thread that Python did not start has no name.
_THREAD = re.compile(r"thread \((\d+)\)(?:: (.*))?")
# "Handle._run (asyncio/events.py:80)"
_FRAME = re.compile(r"(.*) \((.*?)(?::\d+)?\)")


@dataclass(frozen=True)
class Frame:
    """A function that is running: its name, and its file from the package on."""

    function: str
    file: str


@dataclass(frozen=True)
class Stack:
    """What a thread was doing when it was looked at.

    Attributes:
        thread: its number in the system.
        name: what Python calls it; empty where Python did not start it.
        frames: from the outermost to the innermost; none where it is not in Python.
        count: how often it was seen doing so.
    """

    thread: int
    name: str
    frames: Sequence[Frame]
    count: int

    def to_row(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "thread": self.thread,
            "name": self.name,
            "frames": [f"{frame.function} ({frame.file})" for frame in self.frames],
            "count": self.count,
        }


def parse_stacks(lines: Iterable[str]) -> Iterator[Stack]:
    """What the lines say.

    Raises:
        ValueError: a line is something else.
    """
    for line in lines:
        text, _, count = line.strip().rpartition(" ")
        if not text:
            continue
        thread, *frames = text.split(";")
        found = _THREAD.fullmatch(thread)
        if found is None or not count.isdigit():
            raise ValueError(f"not a line of py-spy's raw format: {line.strip()[:100]}")
        yield Stack(int(found[1]), found[2] or "", tuple(_frame(text) for text in frames), int(count))


def _frame(text: str) -> Frame:
    found = _FRAME.fullmatch(text)
    return Frame(text, "") if found is None else Frame(found[1], found[2])
