"""What the memory of a process consists of, from /proc/PID/smaps (Linux)."""

import contextlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

_MAPPING = re.compile(r"([0-9a-f]+)-[0-9a-f]+ \S+ \S+ \S+ \S+\s*(.*)")
_FIGURE = re.compile(r"(\w+):\s+(\d+) kB")
_PRIVATE = ("Private_Clean", "Private_Dirty")
# glibc gives each thread that allocates while others do an arena of its own, at multiples of its size.
_ARENA = 64 * 2**20
HEAP = "heap of the main thread"
ARENAS = "heaps of other threads"
ANONYMOUS = "Python's objects, arrays, models"
FFI_LIBRARY = "liblivekit_ffi"
LIBRARIES = "other libraries"
FILES = "other files"


@dataclass(frozen=True)
class Part:
    """A kind of memory, in MiB.

    Attributes:
        private: only this process has it.
        shared: its share of what it has in common with others.
    """

    private: float = 0.0
    shared: float = 0.0


def memory_by_part(smaps: Iterable[str]) -> dict[str, Part]:
    """The proportional set size of a process by kind, from the lines of its smaps."""
    private: defaultdict[str, int] = defaultdict(int)
    whole: defaultdict[str, int] = defaultdict(int)
    kind = FILES
    for line in smaps:
        mapping, figure = _MAPPING.fullmatch(line.rstrip()), _FIGURE.match(line)
        if mapping is not None:
            kind = _kind(int(mapping[1], 16), mapping[2])
        elif figure is not None and figure[1] == "Pss":
            whole[kind] += int(figure[2])
        elif figure is not None and figure[1] in _PRIVATE:
            private[kind] += int(figure[2])
    return {kind: Part(private[kind] / 1024, (whole[kind] - private[kind]) / 1024) for kind in whole}


def memory_of(processes: Collection[int]) -> dict[str, Part]:
    """What the processes have together, by kind; one that ends meanwhile counts not."""
    private: defaultdict[str, float] = defaultdict(float)
    shared: defaultdict[str, float] = defaultdict(float)
    for process in processes:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            smaps = (Path("/proc") / str(process) / "smaps").read_text().splitlines()
            for kind, part in memory_by_part(smaps).items():
                private[kind] += part.private
                shared[kind] += part.shared
    return {kind: Part(private[kind], shared[kind]) for kind in private}


def _kind(start: int, name: str) -> str:
    if name == "[heap]":
        return HEAP
    if not name or name.startswith(("[", "anon_inode:", "/memfd:", "/dev/zero")):
        return ANONYMOUS if start % _ARENA else ARENAS
    file = Path(name).name
    if file.startswith("liblivekit_ffi"):
        return FFI_LIBRARY
    return LIBRARIES if ".so" in file else FILES
