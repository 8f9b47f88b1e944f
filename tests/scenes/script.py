"""A scene as it is written down: typed and strict, so that a misspelt key is an error and no scene that proves less.

    title: A pause of 0.8 s inside a sentence is no end of it
    say:
      - {id: sentence, clip: sense_and_sensibility_0920, at: 0.5, pauses: [{at: 2.56, seconds: 0.8}]}
    expect:
      - {event: agent_starts, after: sentence.start, before: sentence.end, absent: true}
      - {event: agent_starts, after: sentence.end, within_ms: 900, today: {within_ms: 1200}}

A moment is `start`, `end` (of the scene), `ID.start`, `ID.end` (the audible part of what is said, or the moment at
which something is typed), `agent.N.start` or `agent.N.end` (of what the agent says for the Nth time, from 1).
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

SCENES_DIR = Path(__file__).parent

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Moment = Annotated[
    str, StringConstraints(pattern=r"^(start|end|agent\.[1-9]\.(start|end)|[a-z][a-z0-9_]*\.(start|end))$")
]
Seconds = Annotated[float, Field(ge=0, le=120)]


class SceneError(ValueError):
    """A scene cannot be read; the message names the file, the key and what is wrong."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pause(_Strict):
    """Silence put into a clip.

    Args:
        at: where in the clip, in seconds.
        seconds: for how long.
    """

    at: Seconds
    seconds: Annotated[float, Field(gt=0, le=60)]


class Cue(_Strict):
    """When the agent begins to be heard.

    Args:
        agent_starts: for the how manyth time, from 1.
        seconds: so long after it.
    """

    agent_starts: Annotated[int, Field(ge=1, le=9)]
    seconds: Seconds = 0.0


class _Placed(_Strict):
    """Something on the time line: at a time, or on a cue."""

    id: Id
    at: Seconds | None = None
    cue: Cue | None = None

    @model_validator(mode="after")
    def _once(self) -> Self:
        if (self.at is None) == (self.cue is None):
            raise ValueError("needs either `at` or `cue`")
        return self


class Said(_Placed):
    """A clip that the caller gives to hear.

    Args:
        clip: a recording of tests/audio/recordings.json, or a sound of tests/audio/sounds/sounds.json.
        gain_db: how much louder than it was recorded.
        high_pass_hz: what is below is taken away, as in a whisper.
        low_pass_hz: what is above is taken away, as on the telephone.
        pauses: silence put into it.
    """

    clip: str
    gain_db: Annotated[float, Field(ge=-60, le=20)] = 0.0
    high_pass_hz: Annotated[float, Field(ge=20, le=8000)] | None = None
    low_pass_hz: Annotated[float, Field(ge=20, le=8000)] | None = None
    pauses: tuple[Pause, ...] = ()


class Typed(_Placed):
    """A message that the caller types into the room."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class Noise(_Strict):
    """Noise from the first moment to the last.

    Args:
        clip: played again and again.
        snr_db: by how much the speech is louder.
    """

    clip: str
    snr_db: Annotated[float, Field(ge=-10, le=60)]


class Today(_Strict):
    """What holds today, where less holds than is wanted; removed when what is wanted holds.

    Args:
        within_ms: it happens within this time, not within the one that is wanted.
        fails: it does not hold at all.
        why: what stands in the way.
    """

    within_ms: Annotated[int, Field(gt=0)] | None = None
    fails: Literal[True] | None = None
    why: str = ""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.within_ms is None) == (self.fails is None):
            raise ValueError("needs either `within_ms` or `fails: true`")
        return self


class Expectation(_Strict):
    """What must happen, or must not.

    Args:
        event: `agent_starts` and `agent_stops` (to be heard), `agent_speaks` (is heard at any time), `user_turn` and
            `agent_turn` (take a place in the conversation), `call_ends` (the agent ends the call by itself).
        after: not before this moment.
        before: not after this moment.
        within_ms: at most so long after `after`.
        absent: it must not happen.
        count: it happens exactly so often; else at least once.
        says: of a turn: words that it consists of (user) or holds (agent); the id of a clip stands for its transcript.
        interrupted: of a turn of the agent: whether it was cut.
        today: what holds today.
    """

    event: Literal["agent_starts", "agent_stops", "agent_speaks", "user_turn", "agent_turn", "call_ends"]
    after: Moment = "start"
    before: Moment | None = None
    within_ms: Annotated[int, Field(gt=0)] | None = None
    absent: bool = False
    count: Annotated[int, Field(ge=1)] | None = None
    says: str | None = None
    interrupted: bool | None = None
    today: Today | None = None

    @model_validator(mode="after")
    def _sense(self) -> Self:
        if self.before is not None and self.within_ms is not None:
            raise ValueError("`before` and `within_ms` both say when it must have happened")
        if self.absent and self.count is not None:
            raise ValueError("`absent` and `count` exclude each other")
        if not self.event.endswith("_turn") and self.says is not None:
            raise ValueError("`says` is for turns")
        if self.event != "agent_turn" and self.interrupted is not None:
            raise ValueError("`interrupted` is for turns of the agent")
        if self.today is not None and self.today.within_ms is not None:
            if self.within_ms is None or self.absent:
                raise ValueError("`today.within_ms` needs a `within_ms` that is wanted")
            if self.today.within_ms <= self.within_ms:
                raise ValueError("`today.within_ms` is no longer than what is wanted")
        return self

    def __str__(self) -> str:
        given = self.model_dump(exclude_defaults=True, exclude={"today"})
        return ", ".join(f"{key}: {value}" for key, value in given.items())


class Scene(_Strict):
    """One scene.

    Args:
        title: what it shows, as a sentence.
        job: what the dispatch says, but for the conversation.
        greet: whether the agent begins with its greeting.
        say: what the caller gives to hear.
        type: what the caller types.
        noise: what goes on behind it.
        expect: what must happen, and what must not.
    """

    title: Annotated[str, StringConstraints(min_length=10)]
    job: dict[str, Any] = Field(default_factory=dict)
    greet: bool = False
    say: tuple[Said, ...] = ()
    type: tuple[Typed, ...] = ()
    noise: Noise | None = None
    expect: Annotated[tuple[Expectation, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        placed = [*self.say, *self.type]
        ids = [one.id for one in placed]
        if doubled := {one for one in ids if ids.count(one) > 1} | ({"agent", "start", "end"} & set(ids)):
            raise ValueError(f"these ids stand twice or are taken: {', '.join(sorted(doubled))}")
        for expected in self.expect:
            for moment in (expected.after, expected.before):
                name = re.split(r"\.", moment or "start")[0]
                if name not in {"start", "end", "agent", *ids}:
                    raise ValueError(f"`{moment}`: nothing here is called {name!r}")
        return self


def load_scene(path: Path) -> Scene:
    """Read one scene; raises SceneError."""
    try:
        return parse_scene(path.read_text(encoding="utf-8"))
    except SceneError as error:
        raise SceneError(f"{path.name}: {error}") from None


def parse_scene(text: str) -> Scene:
    """Read one scene from YAML; raises SceneError."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SceneError(f"no YAML: {error}") from None
    try:
        return Scene.model_validate(data)
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, e['loc'])) or 'scene'}: {e['msg']}" for e in error.errors(include_url=False))
        raise SceneError("; ".join(problems)) from None


def scene_files() -> list[Path]:
    """All scenes of this folder."""
    return sorted(SCENES_DIR.glob("*.yaml"))
