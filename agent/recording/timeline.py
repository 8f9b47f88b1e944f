"""Where sounds have their place in a recording: two lanes beside each other, silent where nothing was heard. Pure.

Times are seconds since the recording began; places are counted in samples.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

# What begins so close to the end of what was before it goes on without a gap: clocks and frames are not exact.
JOIN_S = 0.1


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of sound and when it began to be heard, in seconds."""

    start: float
    samples: Samples


class Arrivals:
    """Finds out when frames of a live stream were spoken from when they arrived.

    A busy event loop takes frames late, and then several at once. No frame can have been spoken after it arrived, nor
    can one before it: so those that came later tell when it really was, unless there was a gap in between.

    Args:
        rate: samples a second.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._waiting: deque[tuple[float, Samples]] = deque()

    def add(self, arrived: float, samples: Samples) -> None:
        """A frame arrived, at a time that is not before that of the last one."""
        self._waiting.append((arrived, samples))

    def take(self, before: float) -> list[Piece]:
        """The frames that arrived before a moment, in order, judged by all that arrived until now."""
        count = sum(arrived < before for arrived, _ in self._waiting)
        start = float("inf")
        pieces: list[Piece] = []
        for number in reversed(range(len(self._waiting))):
            arrived, samples = self._waiting[number]
            start = min(arrived, start) - len(samples) / self._rate
            if number < count:
                pieces.append(Piece(start, samples))
        for _ in range(count):
            self._waiting.popleft()
        return pieces[::-1]


class Resampler(Protocol):
    """Brings samples to the recording's rate, with a state: one for each stretch without a gap."""

    def push(self, samples: Samples) -> Samples:
        """Further samples; some of them may come out later."""

    def flush(self) -> Samples:
        """What has not come out yet."""


class Resampling(Protocol):
    """Makes resamplers."""

    def __call__(self) -> Resampler:
        """A new one."""


class Lane:
    """One channel; `heard_until` is where the last piece ends, in seconds.

    Args:
        rate: samples a second of the recording.
        resampling: brings pieces to that rate.
    """

    def __init__(self, rate: int, resampling: Resampling) -> None:
        self._rate = rate
        self._resampling = resampling
        self._resampler: Resampler | None = None
        self._placed: list[tuple[int, Samples]] = []
        self._next = 0  # where the next sample of the stretch has its place
        self.heard_until = 0.0  # seconds
        self._taken = 0

    def add(self, piece: Piece, source_rate: int) -> None:
        """A piece that begins after those before it; what overlaps with them by more than `JOIN_S` is left out."""
        samples = piece.samples
        if self._resampler is None or piece.start - self.heard_until > JOIN_S:
            self.end_stretch()
            self._resampler = self._resampling()
            self.heard_until = max(piece.start, self.heard_until)
            self._next = round(self.heard_until * self._rate)
        if (over := self.heard_until - piece.start) > JOIN_S:
            samples = samples[round(over * source_rate) :]
        self.heard_until += len(samples) / source_rate
        self._place(self._resampler.push(samples))

    def end_stretch(self) -> None:
        """Nothing follows without a gap."""
        if self._resampler is not None:
            self._place(self._resampler.flush())
            self._resampler = None

    def take(self, end: int) -> Samples:
        """Everything from where the last one ended until this sample; silent where nothing has its place."""
        block = np.zeros(max(0, end - self._taken), np.int16)
        later: list[tuple[int, Samples]] = []
        for at, samples in self._placed:
            at, samples = max(at, self._taken), samples[max(0, self._taken - at) :]
            now = samples[: max(0, end - at)]
            if len(now):
                block[at - self._taken : at - self._taken + len(now)] = now
            if len(samples) > len(now):
                later.append((at + len(now), samples[len(now) :]))
        self._placed = later
        self._taken = max(self._taken, end)
        return block

    def _place(self, samples: Samples) -> None:
        if len(samples):
            self._placed.append((self._next, samples))
            self._next += len(samples)


class Pauses:
    """Stretches of a recording that are silent on purpose."""

    def __init__(self) -> None:
        self._over: list[tuple[float, float]] = []
        self._since: float | None = None

    def begin(self, at: float) -> None:
        """From now on; it changes nothing when it is paused already."""
        if self._since is None:
            self._since = at

    def end(self, at: float) -> None:
        """No longer."""
        if self._since is not None:
            self._over.append((self._since, max(self._since, at)))
            self._since = None

    def seconds(self, until: float) -> float:
        """How long it was paused."""
        return sum(end - start for start, end in self._spans(until))

    def silence(self, block: Samples, first: int, rate: int) -> None:
        """Make silent what of a block lies in a pause.

        Args:
            block: samples, the last axis is time.
            first: the place of its first sample.
            rate: samples a second.
        """
        for start, end in self._spans(float("inf")):
            left = max(0, int(start * rate) - first)
            right = block.shape[-1] if end == float("inf") else int(end * rate) + 1 - first
            if right > left:
                block[..., left:right] = 0

    def _spans(self, until: float) -> Iterable[tuple[float, float]]:
        yield from self._over
        if self._since is not None:
            yield self._since, max(self._since, until)
