"""The stage of a scene: its clips on a time line, mixed as a microphone would hear them; some wait for their cue."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from agent.replay.sound import RATE, Sound, silence
from tests.scenes.clips import audible_part, noise_for, prepare
from tests.scenes.script import Said, Scene, Typed

# A cue that does not come in this time after everything else will not come at all.
PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class _OnStage:
    start: int
    samples: Sound


class Stage:
    """What the microphone of a scene hears; see `agent.replay.sound.SoundSource`.

    Whoever plays the scene sets `type_text` to what types a message, which is called at the message's moment.

    Args:
        scene: the scene.
    """

    def __init__(self, scene: Scene) -> None:
        self.type_text: Callable[[str], None] = _nobody_types
        self.moments: dict[str, float] = {}
        self._clips = {said.id: prepare(said) for said in scene.say}
        self._noise = noise_for(scene.noise, list(self._clips.values())) if scene.noise is not None else None
        placed: list[Said | Typed] = [*scene.say, *scene.type]
        self._waiting = [one for one in placed if one.cue is not None]
        self._to_type: list[tuple[float, Typed]] = []
        self._on_stage: list[_OnStage] = []
        self._position = 0
        self._agent_starts = 0
        for one in placed:
            if one.at is not None:
                self._place(one, one.at)

    @property
    def exhausted(self) -> bool:
        """See `SoundSource`."""
        last = max((placed.start + len(placed.samples) for placed in self._on_stage), default=0)
        last = max(last, *(round(at * RATE) for at, _ in self._to_type), 0)
        return self._position >= (last + PATIENCE_S * RATE if self._waiting else last)

    def read(self, start: int, count: int) -> Sound:
        """See `SoundSource`."""
        self._position = start + count
        mixed = np.zeros(count, np.int32)
        if self._noise is not None:
            mixed += self._noise[np.arange(start, start + count) % len(self._noise)]
        for placed in self._on_stage:
            first, last = max(start, placed.start), min(start + count, placed.start + len(placed.samples))
            if first < last:
                mixed[first - start : last - start] += placed.samples[first - placed.start : last - placed.start]
        self._type_what_is_due()
        return np.clip(mixed, -32768, 32767).astype(np.int16)

    def agent_starts(self, at: float) -> None:
        """The agent begins to be heard, at so many seconds: the cue for whoever waits for it."""
        self._agent_starts += 1
        for one in list(self._waiting):
            if one.cue is not None and one.cue.agent_starts == self._agent_starts:
                self._waiting.remove(one)
                self._place(one, at + one.cue.seconds)

    def clean_track(self, length: int) -> Sound:
        """The caller without the noise."""
        track = silence(length)
        for placed in self._on_stage:
            part = placed.samples[: max(0, length - placed.start)]
            track[placed.start : placed.start + len(part)] = part
        return track

    def _place(self, one: Said | Typed, at: float) -> None:
        start = max(round(at * RATE), self._position)
        if isinstance(one, Typed):
            self._to_type.append((start / RATE, one))
            self.moments[f"{one.id}.start"] = self.moments[f"{one.id}.end"] = start / RATE
            return
        samples = self._clips[one.id]
        self._on_stage.append(_OnStage(start, samples))
        first, last = audible_part(samples)
        self.moments[f"{one.id}.start"] = start / RATE + first
        self.moments[f"{one.id}.end"] = start / RATE + last

    def _type_what_is_due(self) -> None:
        now = self._position / RATE
        due = [typed for at, typed in self._to_type if at <= now]
        self._to_type = [(at, typed) for at, typed in self._to_type if at > now]
        for typed in due:
            self.type_text(typed.text)


def _nobody_types(text: str) -> None:
    raise RuntimeError("the scene types, and nobody said how")
