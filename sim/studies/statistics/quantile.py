"""Quantiles, value at risk among them, with exact intervals that hold for any distribution."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np

from sim.studies.statistics.estimate import CONFIDENCE, Estimate, joined, observations, refused

METHOD = "order statistics, exact binomial"


def order_ranks(n: int, level: float, confidence: float = CONFIDENCE) -> tuple[int, int] | None:
    """Ranks (1-based) of the two order statistics that enclose the quantile; None where no two-sided interval exists.

    The number of observations at or below the quantile q is at least Binomial(n, level), that below it at most. With
    α = 1 - confidence: lower rank = largest r with P(B <= r - 1) <= α/2, upper rank = smallest s with
    P(B >= s) <= α/2; then P(x_(r) <= q <= x_(s)) >= confidence, for discrete and mixed distributions as well.
    The upper one exists if level^n <= α/2: at 95 % confidence from n = 72 (level 0.95) and n = 368 (0.99).
    Source: Conover 1999, Practical Nonparametric Statistics, 3.2; Hahn, Meeker 1991, Statistical Intervals, 5.2.
    """
    from scipy.special import bdtr, bdtrc

    if n < 1:
        return None
    tail = (1.0 - confidence) / 2.0
    # bdtr(k, n, p) = P(B <= k), bdtrc = P(B > k); the search starts near the normal law's answer.
    spread = NormalDist().inv_cdf(1.0 - tail) * math.sqrt(n * level * (1.0 - level))
    lower = min(max(0, math.floor(n * level - spread)), n)
    while lower > 0 and bdtr(lower - 1, n, level) > tail:
        lower -= 1
    while lower < n and bdtr(lower, n, level) <= tail:
        lower += 1
    upper = min(max(1, math.ceil(n * level + spread)), n + 1)
    while upper > 1 and bdtrc(upper - 2, n, level) <= tail:
        upper -= 1
    while upper <= n and bdtrc(upper - 1, n, level) > tail:
        upper += 1
    return (lower, upper) if lower >= 1 and upper <= n else None


def least_observations(level: float, confidence: float = CONFIDENCE) -> int:
    """Smallest n with a two-sided interval: max(ln(α/2) / ln(level), ln(α/2) / ln(1 - level)), rounded up."""
    tail = (1.0 - confidence) / 2.0
    n = max(1, math.floor(math.log(tail) / math.log(max(level, 1.0 - level))))
    while order_ranks(n, level, confidence) is None:
        n += 1
    return n


def point_rank(n: int, level: float) -> int:
    """Rank (1-based) of the observation that is the quantile: ceil(n · level), the inverse of the empirical law."""
    return min(n, max(1, math.ceil(n * level - 1e-9)))


def quantile(values: Any, level: float, confidence: float = CONFIDENCE, name: str = "") -> Estimate:
    """The quantile inf{x: P(X <= x) >= level} with its exact interval, in the unit of the values.

    Both value and bounds are observations. ValueError for a level outside (0, 1).
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"a quantile's level lies between 0 and 1, not {level}")
    present, note = observations(values)
    n = len(present)
    name = name or f"quantile {level:g}"
    ranks = order_ranks(n, level, confidence)
    if ranks is None:
        least = least_observations(level, confidence)
        why = f"{n} runs are too few for a two-sided {confidence:.0%} interval of this quantile; it takes {least}"
        return refused(name, n, confidence, METHOD, joined(why, note))
    ordered = np.sort(present)
    value, low, high = (float(ordered[rank - 1]) for rank in (point_rank(n, level), *ranks))
    if low == high and low == 0.0:
        share = float((present == 0.0).mean())
        note = joined(f"{share:.1%} of the runs are exactly 0, so the whole interval is 0", note)
    return Estimate(name, value, low, high, n, confidence, METHOD, note)


def value_at_risk(losses: Any, level: float = 0.95, confidence: float = CONFIDENCE, name: str = "") -> Estimate:
    """Value at risk: the loss that a share `level` of all outcomes does not exceed, with its exact interval.

    The same as `quantile`; losses count as positive. Refused at 95 % confidence below 72 runs (level 0.95) and
    368 runs (0.99).
    """
    return quantile(losses, level, confidence, name or f"var{level * 100:g}")
