"""Counters and histograms whose labels have few values, known beforehand, and where their samples go."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

OTHER = "other"

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """One increment or one observation."""

    metric: str
    value: float
    labels: Labels


@dataclass(frozen=True, slots=True)
class Instrument:
    """What is counted or timed.

    Attributes:
        name: its name at Prometheus.
        help: one sentence for people.
        labels: the values that each label may have; what is none of them becomes `other`, so that nothing from outside
            makes a new series.
    """

    name: str
    help: str
    labels: Mapping[str, tuple[str, ...]]

    def sample(self, value: float, labels: Labels) -> Sample:
        """A sample of this; raises ValueError when the labels are not those of the instrument."""
        if labels.keys() != self.labels.keys():
            raise ValueError(f"{self.name} has the labels {sorted(self.labels)}, not {sorted(labels)}")
        return Sample(self.name, value, {name: v if v in self.labels[name] else OTHER for name, v in labels.items()})


@dataclass(frozen=True, slots=True)
class Counter(Instrument):
    """Only goes up."""

    def inc(self, amount: float = 1.0, **labels: str) -> None:
        """Count."""
        _send(self.sample(amount, labels))


@dataclass(frozen=True, slots=True)
class Histogram(Instrument):
    """Durations in seconds.

    Attributes:
        buckets: the upper bounds of its buckets, in seconds.
    """

    buckets: tuple[float, ...]

    def observe(self, seconds: float, **labels: str) -> None:
        """One more duration."""
        _send(self.sample(seconds, labels))


def send_samples_to(take: Callable[[Sample], None]) -> None:
    """From now on each sample of this process goes there; until then they go nowhere.

    Args:
        take: must return at once: it is called where audio is made.
    """
    global _take
    _take = take


def _nowhere(sample: Sample) -> None:
    """Nobody asked for samples."""


_take: Callable[[Sample], None] = _nowhere


def _send(sample: Sample) -> None:
    _take(sample)
