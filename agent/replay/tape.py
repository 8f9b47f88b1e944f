"""The tape of a replay: what the caller and the agent gave to hear, each sample at its moment."""

import asyncio
import time

import numpy as np

from agent.replay.sound import RATE, Sound, silence


class Tape:
    """Two tracks from one moment on, in a running event loop.

    `now` counts in seconds from that moment; `to_tape` turns the times of turns (`time.time`) into the same.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()
        self._begun_at = time.time()
        self._caller: list[tuple[int, Sound]] = []
        self._agent: list[tuple[int, Sound]] = []

    @property
    def now(self) -> float:
        """Seconds since the tape runs."""
        return self._loop.time() - self._begun

    def to_tape(self, epoch_seconds: float) -> float:
        """A time of `time.time` as seconds since the tape runs."""
        return epoch_seconds - self._begun_at

    def add_caller(self, start: int, samples: Sound) -> None:
        """The caller gave this to hear from a place on, counted in samples."""
        self._caller.append((start, samples))

    def add_agent(self, start: int, samples: Sound) -> None:
        """The agent gave this to hear from a place on, counted in samples."""
        self._agent.append((start, samples))

    def cut_agent(self, end: int) -> None:
        """Nothing of the agent was heard from this place on."""
        self._agent = [(start, samples[: end - start]) for start, samples in self._agent if start < end]

    def tracks(self) -> tuple[Sound, Sound]:
        """The caller's track and the agent's, equally long."""
        length = max((start + len(samples) for start, samples in (*self._caller, *self._agent)), default=RATE)
        return _joined(self._caller, length), _joined(self._agent, length)


def _joined(parts: list[tuple[int, Sound]], length: int) -> Sound:
    track = silence(length)
    for start, samples in parts:
        track[start : start + len(samples)] = samples
    return np.asarray(track)
