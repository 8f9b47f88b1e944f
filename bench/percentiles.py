"""Percentiles, the same for every measurement."""

from collections.abc import Sequence

import numpy as np


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which so many per cent of the values are, interpolated between the two nearest.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no percentile of nothing")
    return float(np.percentile(values, percent))
