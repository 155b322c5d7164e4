"""Resampling of whole runs, the same indices for every column, so that what belongs together stays together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from sim.normal import inverse_normal
from sim.randomness import Randomness

#: Resamples of an interval: the 2.5 % ends then rest on 100 of them each.
RESAMPLES = 4_000

#: Fewer observations give intervals that are far too narrow, so none is given.
LEAST = 10

#: Numbers held at once while resampling.
_AT_ONCE = 2_000_000

Statistic = Callable[..., np.ndarray]


def indices(n: int, resamples: int, purpose: str) -> Iterator[np.ndarray]:
    """Matrices of row numbers, `resamples` rows of n in all; the same for the same n, count and purpose."""
    stream = Randomness(0).stream("studies.bootstrap", purpose, n)
    rows = max(1, _AT_ONCE // max(1, n))
    for begin in range(0, resamples, rows):
        yield stream.integers(0, n, size=(min(rows, resamples - begin), n))


def resampled(statistic: Statistic, columns: tuple[np.ndarray, ...], resamples: int, purpose: str) -> np.ndarray:
    """The statistic of every resample, sorted; it takes one matrix a column and reduces the last axis."""
    n = len(columns[0])
    parts = [statistic(*(column[chosen] for column in columns)) for chosen in indices(n, resamples, purpose)]
    return np.sort(np.concatenate(parts))


def percentile_interval(replicates: np.ndarray, confidence: float) -> tuple[float, float]:
    """Ends of the middle share `confidence` of the sorted replicates (Efron 1979)."""
    tail = (1.0 - confidence) / 2.0
    return _at(replicates, tail), _at(replicates, 1.0 - tail)


def bca_interval(replicates: np.ndarray, value: float, influence: np.ndarray, confidence: float) -> tuple[float, float]:
    """Bias-corrected and accelerated interval (Efron 1987): better than the percentile one for skewed losses.

    z0 = Φ⁻¹(share of replicates below the value, ties counted half); acceleration a = Σ d³ / (6 (Σ d²)^1.5) with d
    the influence of each observation; ends at Φ(z0 + (z0 ± z) / (1 - a (z0 ± z))).
    """
    below = float((replicates < value).sum()) + 0.5 * float((replicates == value).sum())
    share = min(max(below / len(replicates), 0.5 / len(replicates)), 1.0 - 0.5 / len(replicates))
    bias = inverse_normal(share)
    squares = float((influence * influence).sum())
    acceleration = float((influence * influence * influence).sum()) / (6.0 * squares**1.5)
    ends = []
    for side in (-1.0, 1.0):
        z = bias + side * inverse_normal((1.0 + confidence) / 2.0)
        moved = bias + z / max(1.0 - acceleration * z, 1e-3)
        ends.append(_at(replicates, 0.5 * math.erfc(-moved / math.sqrt(2.0))))
    return ends[0], ends[1]


def _at(ordered: np.ndarray, share: float) -> float:
    return float(np.quantile(ordered, share))


def constant(column: Any) -> bool:
    """Whether all values are one and the same."""
    return bool((column == column[0]).all())
