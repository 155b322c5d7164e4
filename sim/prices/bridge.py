"""A path inside one hour that keeps the hour's recorded open, high, low and close."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np

#: Standard deviation of an hour's Brownian motion per unit of its range (Parkinson 1980: E[range^2] = 4 ln 2 sigma^2).
SIGMA_PER_RANGE = 1.0 / math.sqrt(4.0 * math.log(2.0))


class Bar(NamedTuple):
    """One asset's recorded hour, USD."""

    open: float
    high: float
    low: float
    close: float


def brownian_bridge(start: float, end: float, normals: np.ndarray, step_sigma: float) -> np.ndarray:
    """Brownian bridge over m = len(normals) equal steps, its m - 1 inner points.

    x_k = start + (end - start) k/m + s (W_k - W_m k/m), with s the standard deviation of one step in units of x.
    """
    m = len(normals)
    walk = np.cumsum(normals)
    progress = np.arange(1, m) / m
    return start + (end - start) * progress + step_sigma * (walk[:-1] - walk[-1] * progress)


def fold(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Reflect values at both edges of [low, high] until they are inside; values inside stay as they are."""
    width = high - low
    if width <= 0.0:
        return np.full(len(values), low)
    offset = np.mod(values - low, 2.0 * width)
    return np.clip(low + np.where(offset > width, 2.0 * width - offset, offset), low, high)


def bridged_hour(bar: Bar, high_at: int, low_at: int, normals: np.ndarray) -> np.ndarray:
    """Prices at the points 0, 1, ..., n of an hour, n = len(normals): open at 0, close at n, the extremes where told.

    Three Brownian bridges, open to first extreme to second extreme to close, reflected at high and low. The variance
    of the motion is Parkinson's estimate from the range, so realised volatility follows the hour's range.
    """
    n = len(normals)
    step_sigma = (bar.high - bar.low) * SIGMA_PER_RANGE / math.sqrt(n)
    knots = [(0, bar.open), *sorted([(high_at, bar.high), (low_at, bar.low)]), (n, bar.close)]
    hour = np.empty(n + 1)
    for (begin, start), (finish, end) in pairwise(knots):
        inner = brownian_bridge(start, end, normals[begin:finish], step_sigma)
        hour[begin] = start
        hour[begin + 1 : finish] = fold(inner, bar.low, bar.high)
    hour[n] = bar.close
    return hour
