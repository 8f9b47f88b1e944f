"""Adds up the samples of all processes, in the worker."""

import math
from collections.abc import Mapping
from itertools import product

from prometheus_client import CollectorRegistry, disable_created_metrics
from prometheus_client import Counter as PrometheusCounter
from prometheus_client import Histogram as PrometheusHistogram

from agent.metrics.catalogue import CALLS_ENDED, CALLS_STARTED, INSTRUMENTS
from agent.metrics.instrument import OTHER, Counter, Histogram, Instrument, Sample


class SampleError(ValueError):
    """A sample is none of an instrument of this worker; the message names what is wrong and never a value."""


class Registry:
    """The sums of all samples. Every series is there from the start, at zero, so that a first increase can be seen."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.prometheus = CollectorRegistry()
        self._instruments: dict[str, Instrument] = {i.name: i for i in INSTRUMENTS}
        self._counters: dict[str, PrometheusCounter] = {}
        self._histograms: dict[str, PrometheusHistogram] = {}
        for instrument in INSTRUMENTS:
            self._make(instrument)

    def add(self, sample: Sample) -> None:
        """Count a sample.

        Raises:
            SampleError: it is none of an instrument of this worker.
        """
        instrument = self._instruments.get(sample.metric)
        if instrument is None:
            raise SampleError("no such metric")
        _check(instrument, sample)
        if sample.metric in self._counters:
            counter = self._counters[sample.metric]
            (counter.labels(**sample.labels) if sample.labels else counter).inc(sample.value)
        else:
            histogram = self._histograms[sample.metric]
            (histogram.labels(**sample.labels) if sample.labels else histogram).observe(sample.value)

    def value(self, name: str, labels: Mapping[str, str] | None = None) -> float:
        """The sum of a series by its full name, such as `…_total` or `…_count`; 0 when there is none."""
        return self.prometheus.get_sample_value(name, dict(labels or {})) or 0.0

    def calls_running(self) -> int:
        """How many calls have begun and not ended."""
        ended = sum(
            sample.value
            for family in self.prometheus.collect()
            for sample in family.samples
            if sample.name == CALLS_ENDED.name
        )
        return round(self.value(CALLS_STARTED.name) - ended)

    def _make(self, instrument: Counter | Histogram) -> None:
        names = list(instrument.labels)
        made: PrometheusCounter | PrometheusHistogram
        if isinstance(instrument, Histogram):
            made = PrometheusHistogram(
                instrument.name, instrument.help, names, buckets=instrument.buckets, registry=self.prometheus
            )
            self._histograms[instrument.name] = made
        else:
            made = PrometheusCounter(instrument.name, instrument.help, names, registry=self.prometheus)
            self._counters[instrument.name] = made
        if names:
            for values in product(*instrument.labels.values()):
                made.labels(*values)


def _check(instrument: Instrument, sample: Sample) -> None:
    if not math.isfinite(sample.value) or sample.value < 0:
        raise SampleError(f"{instrument.name}: not a finite number from 0 on")
    if sample.labels.keys() != instrument.labels.keys():
        raise SampleError(f"{instrument.name}: not its labels")
    for name, value in sample.labels.items():
        if value != OTHER and value not in instrument.labels[name]:
            raise SampleError(f"{instrument.name}: label {name} has no such value")
