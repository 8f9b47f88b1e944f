"""The Dockerfile as data, so that what runs its steps without a container engine runs the very same steps.

Only what the Dockerfile uses is understood; anything else is an error, not a guess.
"""

import json
import re
import shlex
from dataclasses import dataclass, field
from fnmatch import translate
from pathlib import PurePosixPath

INSTRUCTIONS = frozenset(
    [
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "RUN",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ]
)


class DockerfileError(ValueError):
    """Something in the Dockerfile is not understood; the message names the line."""


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction: its name, its flags (`--from=build`), and the rest."""

    name: str
    flags: tuple[tuple[str, str], ...]
    rest: str
    line: int

    def flag(self, name: str) -> str | None:
        """The value of a flag; None when it is not given."""
        return next((value for key, value in self.flags if key == name), None)

    def words(self) -> list[str]:
        """The rest as a list: a JSON array, or words."""
        return list(json.loads(self.rest)) if self.rest.startswith("[") else shlex.split(self.rest)

    def pairs(self) -> dict[str, str]:
        """The rest of `ENV`."""
        return dict(word.split("=", 1) for word in self.words())


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: its name, what it begins with, and its steps."""

    name: str
    base: str
    steps: tuple[Step, ...]


@dataclass(slots=True)
class _Open:
    name: str
    base: str
    steps: list[Step] = field(default_factory=list)


def parse_dockerfile(text: str) -> dict[str, Stage]:
    """The stages by name.

    Raises:
        DockerfileError: an instruction or a flag is not understood, or a stage has no name.
    """
    stages: list[_Open] = []
    for line, whole in _instructions(text):
        name, _, rest = whole.partition(" ")
        if name not in INSTRUCTIONS:
            raise DockerfileError(f"line {line}: {name} is not understood")
        if name == "FROM":
            match = re.fullmatch(r"(\S+) AS (\S+)", rest)
            if match is None:
                raise DockerfileError(f"line {line}: a stage needs a name (FROM image AS name)")
            stages.append(_Open(match[2], match[1]))
            continue
        if not stages:
            raise DockerfileError(f"line {line}: {name} before FROM")
        flags, rest = _flags(rest)
        stages[-1].steps.append(Step(name, flags, rest, line))
    return {stage.name: Stage(stage.name, stage.base, tuple(stage.steps)) for stage in stages}


def _instructions(text: str) -> list[tuple[int, str]]:
    """Each instruction in one line, with the number of its first line; comments are left out."""
    found: list[tuple[int, str]] = []
    parts: list[str] = []
    begun = 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        begun = begun if parts else number
        parts.append(line.removesuffix("\\").strip())
        if not line.endswith("\\"):
            found.append((begun, " ".join(parts)))
            parts = []
    return found


def _flags(rest: str) -> tuple[tuple[tuple[str, str], ...], str]:
    flags = []
    while match := re.match(r"--([a-z-]+)=(\S+)\s+", rest):
        flags.append((match[1], match[2]))
        rest = rest[match.end() :]
    return tuple(flags), rest


class Ignore:
    """`.dockerignore`: the last pattern that matches a path or a folder above it decides.

    Args:
        text: the file.
    """

    def __init__(self, text: str) -> None:
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        self._patterns = [(line.startswith("!"), _pattern(line.removeprefix("!"))) for line in lines]

    def __call__(self, path: PurePosixPath) -> bool:
        """Whether a path, relative to the context, is left out."""
        ways = [str(path), *(str(parent) for parent in path.parents if parent != PurePosixPath("."))]
        left_out = False
        for brings_back, pattern in self._patterns:
            if any(pattern.fullmatch(way) for way in ways):
                left_out = not brings_back
        return left_out


def _pattern(text: str) -> re.Pattern[str]:
    anywhere = text.startswith("**/")
    parts = [translate(part).removeprefix("(?s:").removesuffix(r")\Z") for part in text.removeprefix("**/").split("/")]
    body = "/".join(part.replace(".*", "[^/]*") for part in parts)
    return re.compile(f"(?:.*/)?{body}" if anywhere else body)
