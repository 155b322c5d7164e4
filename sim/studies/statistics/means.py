"""Means, and ratios of sums, with bootstrap intervals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sim.studies.statistics.bootstrap import LEAST, RESAMPLES, bca_interval, constant, resampled
from sim.studies.statistics.estimate import CONFIDENCE, Estimate, joined, mean_of, observations, refused

METHOD = "BCa bootstrap"


def mean(values: Any, confidence: float = CONFIDENCE, name: str = "mean") -> Estimate:
    """Mean over runs with its bias-corrected and accelerated bootstrap interval, in the unit of the values.

    BCa rather than percentile: losses are skewed, and for a mean it is second-order accurate at no further cost.
    Without interval below 10 runs and where every run gives the same.
    """
    present, note = observations(values)
    n = len(present)
    if n == 0:
        return refused(name, 0, confidence, METHOD, joined("no run has a value", note))
    value = mean_of(present)
    if n < LEAST:
        why = f"{n} runs are too few for an interval; it takes {LEAST}"
        return refused(name, n, confidence, METHOD, joined(why, note), value)
    if constant(present):
        why = "every run gives the same: no interval can be had from it"
        return refused(name, n, confidence, METHOD, joined(why, note), value)
    replicates = resampled(lambda rows: rows.mean(axis=-1), (present,), RESAMPLES, "mean")
    low, high = bca_interval(replicates, value, present - value, confidence)
    return Estimate(name, value, low, high, n, confidence, METHOD, note)


def ratio_of_sums(over: Any, under: Any, confidence: float = CONFIDENCE, name: str = "ratio of sums") -> Estimate:
    """Sum of one column over the sum of another, runs resampled whole: Σ over / Σ under, with its BCa interval.

    Where each run's own ratio would weigh a run with hardly anything in it like any other. A run that lacks either
    value is left out. Without value if the sum below is 0.
    """
    top, below = np.asarray(over, dtype=np.float64), np.asarray(under, dtype=np.float64)
    both = ~(np.isnan(top) | np.isnan(below))
    note = f"{int((~both).sum())} of {len(both)} runs have no value" if not both.all() else ""
    (top, _), (below, _) = observations(top[both]), observations(below[both])
    n = len(top)
    total = math.fsum(below.tolist())
    if n == 0 or total == 0.0:
        return refused(name, n, confidence, METHOD, joined("the sum below the line is 0", note))
    value = math.fsum(top.tolist()) / total
    influence = top - value * below
    if n < LEAST or bool((np.abs(influence) <= 1e-15 * np.abs(top)).all()):
        why = f"{n} runs are too few for an interval; it takes {LEAST}" if n < LEAST else "the same ratio in every run"
        return refused(name, n, confidence, METHOD, joined(why, note), value)

    def ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        sums = b.sum(axis=-1)
        return np.where(sums == 0.0, value, a.sum(axis=-1) / np.where(sums == 0.0, 1.0, sums))

    replicates = resampled(ratio, (top, below), RESAMPLES, "ratio")
    low, high = bca_interval(replicates, value, influence, confidence)
    return Estimate(name, value, low, high, n, confidence, METHOD, note)
