"""A figure as a function of a parameter: monotone fit, where it crosses a bound, whether it is monotone at all.

Rows are resamples, columns values of the parameter in ascending order of risk.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sim.studies.expressions import COMPARISONS, Expression
from sim.studies.statistics.quantile import point_rank
from sim.studies.statistics.shortfall import tail_size


def statistic_of(expression: Expression) -> Callable[[np.ndarray], np.ndarray]:
    """The expression's point estimate along the last axis of any array without missing values."""
    level = expression.level or 0.5
    if expression.statistic in ("quantile", "var", "median"):

        def order(values: np.ndarray) -> np.ndarray:
            rank = point_rank(values.shape[-1], level) - 1
            return np.partition(values, rank, axis=-1)[..., rank]

        return order
    if expression.statistic == "es":

        def tail(values: np.ndarray) -> np.ndarray:
            k = max(1, tail_size(values.shape[-1], level))
            found: np.ndarray = np.partition(values, values.shape[-1] - k, axis=-1)[..., -k:].mean(axis=-1)
            return found

        return tail
    if expression.inner is not None:
        compare, limit = COMPARISONS[expression.inner[0]], expression.inner[1]
        return lambda values: np.asarray(compare(values, limit)).mean(axis=-1)  # type: ignore[arg-type]
    return lambda values: values.mean(axis=-1)


def rising(rows: np.ndarray) -> np.ndarray:
    """The non-decreasing curve nearest to each row in least squares.

    g_j = max over i <= j of min over k >= j of the mean of y_i … y_k, all weights alike.
    Source: Robertson, Wright, Dykstra 1988, Order Restricted Statistical Inference, 1.4.4 (max-min formula).
    """
    count = rows.shape[-1]
    sums = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(rows, axis=-1)], axis=-1)
    found = np.full(rows.shape, -np.inf)
    for i in range(count):
        means = (sums[:, i + 1 :] - sums[:, i : i + 1]) / np.arange(1, count - i + 1)
        least = np.minimum.accumulate(means[:, ::-1], axis=-1)[:, ::-1]  # least over k >= j, for j from i on
        found[:, i:] = np.maximum(found[:, i:], least)
    return found


def crossings(curves: np.ndarray, places: np.ndarray, bound: float) -> np.ndarray:
    """Where each non-decreasing curve leaves `bound` behind: straight lines between the places.

    -inf where it lies above at the first place already, +inf where it never does.
    """
    kept = (curves <= bound).sum(axis=-1)
    last = np.clip(kept - 1, 0, len(places) - 2)
    rows = np.arange(len(curves))
    low, high = curves[rows, last], curves[rows, last + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = places[last] + (bound - low) / (high - low) * (places[last + 1] - places[last])
    return np.where(kept == 0, -np.inf, np.where(kept == len(places), np.inf, found))


def monotone_p(values: np.ndarray, resampled: np.ndarray) -> float:
    """How often a curve that is monotone would look at least as far from it as this one does: a bootstrap p-value.

    D = Σ (y - g)² with g the monotone fit; under the hypothesis the resamples are g + (y* - y), the same seeds for
    every value, so that what is common to them drops out.
    """
    fit = rising(values[None, :])[0]
    far = float(((values - fit) ** 2).sum())
    if far <= 1e-18 * max(1.0, float((values**2).sum())):
        return 1.0
    under = fit + resampled - values
    away = ((under - rising(under)) ** 2).sum(axis=-1)
    return float(((away >= far).sum() + 1) / (len(away) + 1))
