"""What the memory of a call's process consists of, from /proc/PID/smaps (Linux)."""

import contextlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+\s*(.*)")
_FIGURE = re.compile(r"(\w+):\s+(\d+) kB")
_PRIVATE = ("Private_Clean", "Private_Dirty")
# A process is forked from one that has loaded everything: what it does not write to, it has in common with that.
INHERITED = "taken over at the fork"
OWN = "allocated since"
FFI_LIBRARY = "liblivekit_ffi"
FILES = "other libraries and files"


@dataclass(frozen=True)
class Stretch:
    """A stretch of a process's memory.

    Attributes:
        start: its first address.
        end: the address behind it.
        name: the file, a name in brackets, or nothing.
        pss_kb: its proportional set size.
        private_kb: what no other process has.
    """

    start: int
    end: int
    name: str
    pss_kb: int = 0
    private_kb: int = 0

    @property
    def has_file(self) -> bool:
        """Whether it shows a file."""
        return self.name.startswith("/") and not self.name.startswith(("/memfd:", "/dev/zero"))


@dataclass(frozen=True)
class Part:
    """A kind of memory, in MiB.

    Attributes:
        private: only this process has it; of what was taken over, what was written to since.
        shared: its share of what it has in common with others.
    """

    private: float = 0.0
    shared: float = 0.0


def parse_smaps(lines: Iterable[str]) -> list[Stretch]:
    """The mappings that the lines of /proc/PID/smaps tell of."""
    found: list[Stretch] = []
    for line in lines:
        begins, figure = _MAPPING.fullmatch(line.rstrip()), _FIGURE.match(line)
        if begins is not None:
            found.append(Stretch(int(begins[1], 16), int(begins[2], 16), begins[3]))
        elif figure is not None and figure[1] == "Pss":
            found[-1] = replace(found[-1], pss_kb=int(figure[2]))
        elif figure is not None and figure[1] in _PRIVATE:
            found[-1] = replace(found[-1], private_kb=found[-1].private_kb + int(figure[2]))
    return found


def memory_by_part(mappings: Iterable[Stretch], parents: Sequence[Stretch]) -> dict[str, Part]:
    """A process's memory by kind.

    Args:
        mappings: the process's.
        parents: those of the process from which it was forked.
    """
    private: defaultdict[str, int] = defaultdict(int)
    whole: defaultdict[str, int] = defaultdict(int)
    for mapping in mappings:
        kind = _kind(mapping, parents)
        whole[kind] += mapping.pss_kb
        private[kind] += mapping.private_kb
    return {kind: Part(private[kind] / 1024, (whole[kind] - private[kind]) / 1024) for kind in whole}


def memory_of(processes: Collection[int]) -> dict[str, Part]:
    """What the processes have together, by kind; one that ends meanwhile counts not."""
    private: defaultdict[str, float] = defaultdict(float)
    shared: defaultdict[str, float] = defaultdict(float)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            parents = _smaps(psutil.Process(process).ppid())
            for kind, part in memory_by_part(_smaps(process), parents).items():
                private[kind] += part.private
                shared[kind] += part.shared
    return {kind: Part(private[kind], shared[kind]) for kind in private}


def total(parts: Mapping[str, Part]) -> float:
    """MiB of all kinds."""
    return sum(part.private + part.shared for part in parts.values())


def _smaps(process: int) -> list[Stretch]:
    return parse_smaps((Path("/proc") / str(process) / "smaps").read_text().splitlines())


def _kind(mapping: Stretch, parents: Sequence[Stretch]) -> str:
    if mapping.has_file:
        return FFI_LIBRARY if Path(mapping.name).name.startswith(FFI_LIBRARY) else FILES
    overlaps = (other.start < mapping.end and mapping.start < other.end for other in parents if not other.has_file)
    return INHERITED if any(overlaps) else OWN
