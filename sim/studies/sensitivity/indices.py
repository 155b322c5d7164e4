"""Elementary effects and Sobol indices with intervals: indices from SALib, intervals from resampling rows and seeds.

`values` are outcomes: a row a row of the sample, a column a seed; `figure` reduces the last axis (a mean over seeds,
usually) to what the indices are of.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.studies.sensitivity.plan import LEVELS
from sim.studies.statistics.bootstrap import indices as drawn

RESAMPLES = 500
TAIL = 0.025

Figure = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Index:
    """One measure of one input, with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def constant(found: np.ndarray) -> bool:
    """Whether no row differs from the others beyond rounding, so that nothing can be said of any input."""
    return bool(np.ptp(found) <= 1e-12 * max(1.0, float(np.abs(found).max())))


def morris(problem: dict[str, Any], shares: np.ndarray, values: np.ndarray, figure: Figure) -> dict[str, list[Index]]:
    """Elementary effects: `mu_star`, `mu` and `sigma` of each input, in the figure's unit over the whole range.

    An effect is the change of the figure from one step of one input, divided by the step as a share of the range;
    mu* = mean |effect|, mu = mean effect, sigma = standard deviation over trajectories (interaction or curvature).
    Intervals: trajectories and seeds resampled together. Morris 1991, Technometrics 33, 161; mu* after Campolongo,
    Cariboni, Saltelli 2007, Environmental Modelling & Software 22, 1509.
    """
    from SALib.analyze import morris as salib

    inputs = problem["num_vars"]
    said = salib.analyze(dict(problem), shares, figure(values), num_levels=LEVELS, num_resamples=2, seed=1)
    resampled: dict[str, list[np.ndarray]] = {"mu_star": [], "mu": [], "sigma": []}
    for seeds, chosen in _pairs(values.shape[1], len(shares) // (inputs + 1), "morris"):
        effects = elementary_effects(shares, figure(values[:, seeds]), inputs)[chosen]
        resampled["mu_star"].append(np.abs(effects).mean(axis=0))
        resampled["mu"].append(effects.mean(axis=0))
        resampled["sigma"].append(effects.std(axis=0, ddof=1))
    return {name: _indexed(np.asarray(said[name], dtype=float), parts) for name, parts in resampled.items()}


def elementary_effects(shares: np.ndarray, found: np.ndarray, inputs: int) -> np.ndarray:
    """Effect of each input in each trajectory: a row a trajectory, in the figure's unit over the whole range."""
    steps = np.diff(shares.reshape(-1, inputs + 1, inputs), axis=1)
    change = np.diff(found.reshape(-1, inputs + 1), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(steps != 0.0, change[:, :, None] / steps, 0.0)
    effects: np.ndarray = each.sum(axis=1)
    return effects


def sobol(problem: dict[str, Any], values: np.ndarray, figure: Figure) -> dict[str, list[Index]]:
    """Sobol indices: `S1`, the share of variance that an input explains alone, and `ST`, with all its interactions.

    S1_i = mean(f_B (f_ABi - f_A)) / V and ST_i = mean((f_A - f_ABi)²) / 2V, V the variance over A and B, f centred and
    in standard deviations: Saltelli et al. 2010, Computer Physics Communications 181, 259. Intervals: base samples and
    seeds resampled together.
    """
    from SALib.analyze import sobol as salib

    inputs = problem["num_vars"]
    said = salib.analyze(problem, figure(values), calc_second_order=False, num_resamples=2, seed=1)
    resampled: dict[str, list[np.ndarray]] = {"S1": [], "ST": []}
    for seeds, chosen in _pairs(values.shape[1], len(values) // (inputs + 2), "sobol"):
        first, total = saltelli(figure(values[:, seeds]), inputs, chosen)
        resampled["S1"].append(first)
        resampled["ST"].append(total)
    return {name: _indexed(np.asarray(said[name], dtype=float), parts) for name, parts in resampled.items()}


def saltelli(found: np.ndarray, inputs: int, chosen: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """First-order and total indices of a sample in SALib's order: for each base sample A, AB_1 … AB_k, B."""
    table = (found - found.mean()).reshape(-1, inputs + 2)
    table = table if chosen is None else table[chosen]
    a, mixed, b = table[:, :1], table[:, 1:-1], table[:, -1:]
    variance = float(np.concatenate([a, b]).var())
    if variance == 0.0:
        return np.zeros(inputs), np.zeros(inputs)
    return (b * (mixed - a)).mean(axis=0) / variance, 0.5 * ((a - mixed) ** 2).mean(axis=0) / variance


def noise_floor(values: np.ndarray, inputs: int, figure: Figure) -> Index:
    """The first-order index that this sample gives to an input that does nothing, by an estimator that shows noise.

    The dummy's own column changes nothing, so its index is exactly 0. (mean(f_A f_B) - mean(f_A) mean(f_B)) / V has the
    expectation 0 as well, for A and B are independent, and the spread of an index from so many rows: what lies within
    its interval is not told from nothing. After Khorashadi Zadeh et al. 2017, Environmental Modelling and Software
    91, 210.
    """

    def floor(found: np.ndarray, chosen: np.ndarray) -> float:
        table = found.reshape(-1, inputs + 2)[chosen]
        a, b = table[:, 0], table[:, -1]
        variance = float(np.concatenate([a, b]).var())
        return float(((a - a.mean()) * (b - b.mean())).mean() / variance) if variance else 0.0

    rows = len(values) // (inputs + 2)
    parts = [
        np.array([floor(figure(values[:, seeds]), chosen)]) for seeds, chosen in _pairs(values.shape[1], rows, "floor")
    ]
    return _indexed(np.array([floor(figure(values), np.arange(rows))]), parts)[0]


def seed_share(values: np.ndarray, rows: np.ndarray | slice) -> float | None:
    """Share of the variance of single runs that the seeds make: mean variance over seeds / (that + variance of rows).

    The variance of the rows' means is less what the seeds leave in it. None with one seed, or without variance.
    """
    held = values[rows]
    seeds = held.shape[1]
    if seeds < 2:
        return None
    within = float(held.var(axis=1, ddof=1).mean())
    between = max(0.0, float(held.mean(axis=1).var(ddof=1)) - within / seeds)
    total = within + between
    return within / total if total > 0.0 else None


def _pairs(seeds: int, rows: int, purpose: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Resampled seeds and resampled rows, together; with one seed only the rows."""
    chosen = np.concatenate(list(drawn(rows, RESAMPLES, f"{purpose} rows")))
    if seeds == 1:
        return [(np.zeros(1, dtype=int), one) for one in chosen]
    return list(zip(np.concatenate(list(drawn(seeds, RESAMPLES, f"{purpose} seeds"))), chosen, strict=True))


def _indexed(values: np.ndarray, parts: list[np.ndarray]) -> list[Index]:
    """Each value with the middle 95 % of its resamples, widened to hold the value: resamples of |x| lie above it."""
    low, high = np.quantile(np.array(parts), (TAIL, 1.0 - TAIL), axis=0)
    found = []
    for value, least, most in zip(values.tolist(), low.tolist(), high.tolist(), strict=True):
        if not math.isfinite(value):
            raise ValueError("an index must be finite")
        found.append(Index(value, min(least, value), max(most, value)))
    return found
