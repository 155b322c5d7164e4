"""Differences between two designs on the same seeds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from sim.studies.statistics.bootstrap import LEAST, RESAMPLES, percentile_interval, resampled
from sim.studies.statistics.estimate import CONFIDENCE, Estimate, joined, observations, refused
from sim.studies.statistics.means import mean
from sim.studies.statistics.quantile import least_observations, point_rank
from sim.studies.statistics.shortfall import LEAST_IN_TAIL, tail_size

METHOD = "percentile bootstrap of pairs"

Rows = Callable[[np.ndarray], np.ndarray]


def paired(first: Any, second: Any) -> tuple[np.ndarray, np.ndarray, str]:
    """Both columns without the pairs that lack a value; ValueError if they differ in length."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"pairs need columns of one length, not {len(a)} and {len(b)}")
    both = ~(np.isnan(a) | np.isnan(b))
    missing = int((~both).sum())
    (a, _), (b, _) = observations(a[both]), observations(b[both])
    return a, b, f"{missing} of {len(both)} pairs lack a value" if missing else ""


def mean_difference(first: Any, second: Any, confidence: float = CONFIDENCE, name: str = "difference") -> Estimate:
    """Mean of second - first over the seeds, BCa interval of the paired differences.

    To resample pairs and to resample their differences is the same for a mean. Exactly 0, with an interval of 0, where
    no pair differs.
    """
    a, b, note = paired(first, second)
    change = b - a
    if len(change) and not change.any():
        return Estimate(name, 0.0, 0.0, 0.0, len(change), confidence, METHOD, joined("no pair differs", note))
    found = mean(change, confidence, name)
    return replace(found, note=joined(found.note, note))


def quantile_difference(
    first: Any, second: Any, level: float = 0.95, confidence: float = CONFIDENCE, name: str = "difference"
) -> Estimate:
    """Quantile of the second less quantile of the first, pairs resampled jointly, percentile interval.

    Percentile, since BCa's acceleration has no meaning for a quantile. Refused where either quantile would be.
    """
    least = least_observations(level, confidence)

    def rows(values: np.ndarray) -> np.ndarray:
        rank = point_rank(values.shape[-1], level) - 1
        return np.partition(values, rank, axis=-1)[..., rank]

    return _joint(first, second, rows, least, confidence, name)


def shortfall_difference(
    first: Any, second: Any, level: float = 0.95, confidence: float = CONFIDENCE, name: str = "difference"
) -> Estimate:
    """Expected shortfall of the second less that of the first, pairs resampled jointly; approximate.

    Refused with fewer than 50 observations in the tail.
    """
    least = math.ceil(LEAST_IN_TAIL / (1.0 - level) - 1e-6)

    def rows(values: np.ndarray) -> np.ndarray:
        k = tail_size(values.shape[-1], level)
        found: np.ndarray = np.partition(values, values.shape[-1] - k, axis=-1)[..., -k:].mean(axis=-1)
        return found

    return _joint(first, second, rows, least, confidence, name)


def probability_difference(
    first: Any, second: Any, confidence: float = CONFIDENCE, name: str = "difference"
) -> Estimate:
    """Share of runs with the event in the second less that in the first, pairs resampled jointly."""
    return mean_difference(np.asarray(first, dtype=float), np.asarray(second, dtype=float), confidence, name)


def _joint(first: Any, second: Any, rows: Rows, least: int, confidence: float, name: str) -> Estimate:
    a, b, note = paired(first, second)
    n = len(a)
    if n < max(LEAST, least):
        why = f"{n} pairs are too few; it takes {max(LEAST, least)}"
        return refused(name, n, confidence, METHOD, joined(why, note))
    value = float(rows(b[None, :])[0] - rows(a[None, :])[0])
    if not (b - a).any():
        return Estimate(name, 0.0, 0.0, 0.0, n, confidence, METHOD, joined("no pair differs", note))
    replicates = resampled(lambda x, y: rows(y) - rows(x), (a, b), RESAMPLES, "pairs")
    low, high = percentile_interval(replicates, confidence)
    return Estimate(name, value, low, high, n, confidence, METHOD, note)
