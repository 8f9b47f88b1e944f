"""A small logistic regression: how to weigh several hints, learnt from the tuning half."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_STEPS = 50
_RIDGE = 0.01


@dataclass(frozen=True)
class Weights:
    """The sum of all hints times their weights is the logarithm of the odds that the turn is over."""

    bias: float
    weights: tuple[float, ...]

    def score(self, hints: Sequence[float]) -> float:
        """The logarithm of the odds."""
        return self.bias + sum(weight * hint for weight, hint in zip(self.weights, hints, strict=True))


def fit(hints: Sequence[Sequence[float]], truths: Sequence[bool], importance: Sequence[float]) -> Weights:
    """Weights by Newton's method, with a little ridge so that few examples cannot make them large.

    Args:
        hints: one row for each example.
        truths: whether the turn was over.
        importance: how much each example counts; both classes get the same weight in all.
    """
    rows = np.column_stack([np.ones(len(hints)), np.asarray(hints, np.float64)])
    truth = np.asarray(truths, np.float64)
    weight = np.asarray(importance, np.float64)
    for value in (0.0, 1.0):
        weight[truth == value] /= weight[truth == value].sum()
    ridge = _RIDGE * np.diag(np.r_[1e-9, np.ones(rows.shape[1] - 1)])
    found: NDArray[np.float64] = np.zeros(rows.shape[1])
    for _ in range(_STEPS):
        probability = 1 / (1 + np.exp(-rows @ found))
        slope = rows.T @ (weight * (probability - truth)) + ridge @ found
        curvature = (rows * (weight * probability * (1 - probability))[:, None]).T @ rows + ridge
        found = found - np.linalg.solve(curvature, slope)
    return Weights(float(found[0]), tuple(float(value) for value in found[1:]))
