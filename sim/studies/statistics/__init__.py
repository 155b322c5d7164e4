"""Statistics over the runs of a study: pure functions on arrays, each answer with n, interval and method."""

from __future__ import annotations

from sim.studies.statistics.convergence import convergence, runs_needed, sizes
from sim.studies.statistics.differences import (
    mean_difference,
    paired,
    probability_difference,
    quantile_difference,
    shortfall_difference,
)
from sim.studies.statistics.estimate import CONFIDENCE, Estimate
from sim.studies.statistics.means import mean, ratio_of_sums
from sim.studies.statistics.proportion import probability, share_of, share_of_seeds
from sim.studies.statistics.quantile import least_observations, order_ranks, quantile, value_at_risk
from sim.studies.statistics.shortfall import expected_shortfall

__all__ = [
    "CONFIDENCE",
    "Estimate",
    "convergence",
    "expected_shortfall",
    "least_observations",
    "mean",
    "mean_difference",
    "order_ranks",
    "paired",
    "probability",
    "probability_difference",
    "quantile",
    "quantile_difference",
    "ratio_of_sums",
    "runs_needed",
    "share_of",
    "share_of_seeds",
    "shortfall_difference",
    "sizes",
    "value_at_risk",
]
