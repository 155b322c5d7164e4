"""Expected shortfall: the mean of the worst outcomes, approximate by nature."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sim.studies.statistics.estimate import CONFIDENCE, Estimate, joined, observations, refused

METHOD = "mean of the tail, Hall's transformation of the t statistic; approximate"

#: Observations in the tail below which no shortfall is given.
LEAST_IN_TAIL = 50


def tail_size(n: int, level: float) -> int:
    """Observations in the tail: n · (1 - level), rounded down."""
    return math.floor(n * (1.0 - level) + 1e-9)


def expected_shortfall(losses: Any, level: float = 0.95, confidence: float = CONFIDENCE, name: str = "") -> Estimate:
    """Mean of the worst share 1 - level of the losses, with an approximate interval, in the unit of the losses.

    ES = mean of the k = floor(n · (1 - level)) largest; see `shortfall_of_tails` for the interval. Refused with fewer
    than 50 observations in the tail. How often the interval holds is measured: docs/studies-statistics.md.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"a shortfall's level lies between 0 and 1, not {level}")
    present, note = observations(losses)
    n = len(present)
    name = name or f"es{level * 100:g}"
    k = tail_size(n, level)
    if k < LEAST_IN_TAIL:
        least = math.ceil(LEAST_IN_TAIL / (1.0 - level) - 1e-6)
        why = f"{k} of {n} runs lie in the tail; expected shortfall takes {LEAST_IN_TAIL}, so {least} runs"
        return refused(name, n, confidence, METHOD, joined(why, note))
    ordered = np.sort(present)
    value, low, high = (float(part[0]) for part in shortfall_of_tails(ordered[None, n - k - 1 :], n, level, confidence))
    if low == high:
        note = joined("every run in the tail is the same: no interval can be had from it", note)
        return refused(name, n, confidence, METHOD, note, value)
    return Estimate(name, value, low, high, n, confidence, METHOD, joined(f"approximate, {k} runs in the tail", note))


def shortfall_of_tails(
    tails: np.ndarray, n: int, level: float, confidence: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shortfall and interval of many samples at once: each row the k + 1 largest of n values, ascending.

    With v the smallest of a row and e = max(x - v, 0): the shortfall's influence values are v + e / (1 - level), most
    of them v, the rest far above, so the t statistic of their mean is very skewed. Hall's cubic transformation of it
    (P. Hall 1992, J. R. Statist. Soc. B 54, 221-228) with Student's t at k - 1 degrees of freedom:
    ES - s/√n · g(±t), g(c) = (3/a) (∛(1 + a (c - a/6)) - 1), a = skewness/√n, s the standard deviation.
    Source of the influence values: Trindade, Uryasev, Shapiro, Zrazhevsky 2007, J. Banking and Finance 31, 3524.
    """
    from scipy.special import stdtrit

    k = tails.shape[1] - 1
    floor = tails[:, :1]
    excess = tails[:, 1:] - floor
    share = 1.0 - level
    value = floor[:, 0] + excess.mean(axis=1)
    mean = excess.sum(axis=1) / n
    variance = (excess * excess).sum(axis=1) / n - mean * mean
    deviation = np.sqrt(np.maximum(variance, 0.0))
    centred = excess - mean[:, None]
    third = (centred * centred * centred).sum(axis=1) / n - (n - k) / n * mean * mean * mean
    with np.errstate(divide="ignore", invalid="ignore"):
        skew = np.where(deviation > 0.0, third / (deviation * deviation * deviation), 0.0) / math.sqrt(n)
    reach = float(stdtrit(k - 1, (1.0 + confidence) / 2.0))
    error = deviation / math.sqrt(n) / share
    return value, value - error * _transformed(skew, reach), value - error * _transformed(skew, -reach)


def _transformed(skew: np.ndarray, reach: float) -> np.ndarray:
    """Hall's inverse transformation; the plain t where there is no skewness."""
    small = np.abs(skew) < 1e-6
    safe = np.where(small, 1.0, skew)
    inner = 1.0 + safe * (reach - safe / 6.0)
    root = np.sign(inner) * np.abs(inner) ** (1.0 / 3.0)
    return np.where(small, reach, 3.0 / safe * (root - 1.0))
