"""How often the intervals hold the truth: measured on laws whose quantiles and shortfalls are known."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from sim.randomness import Randomness
from sim.studies.statistics.estimate import CONFIDENCE
from sim.studies.statistics.quantile import order_ranks
from sim.studies.statistics.shortfall import shortfall_of_tails, tail_size

REPEATS = 2_000

_NORMAL = NormalDist()


@dataclass(frozen=True)
class Law:
    """A distribution of losses with its true quantile and shortfall (None where it is not asked for)."""

    name: str
    draw: Callable[[np.random.Generator, int, int], np.ndarray]
    quantile: Callable[[float], float]
    shortfall: Callable[[float], float] | None = None


def log_normal(sd: float, zeros: float = 0.0) -> Law:
    """exp(sd · Z), with a share `zeros` of the mass at 0 instead.

    With p' = (p - zeros) / (1 - zeros): quantile exp(sd · z(p')) above the zeros, else 0;
    ES_p = (1 - zeros) / (1 - p) · exp(sd²/2) · Φ(sd - z(p')).
    """

    def inner(level: float) -> float:
        return (level - zeros) / (1.0 - zeros)

    def draw(stream: np.random.Generator, repeats: int, n: int) -> np.ndarray:
        losses = stream.lognormal(0.0, sd, (repeats, n))
        return np.where(stream.random((repeats, n)) < zeros, 0.0, losses) if zeros else losses

    def quantile(level: float) -> float:
        return math.exp(sd * _NORMAL.inv_cdf(inner(level))) if level > zeros else 0.0

    def shortfall(level: float) -> float:
        whole = math.exp(sd * sd / 2.0)
        if level > zeros:
            whole *= _NORMAL.cdf(sd - _NORMAL.inv_cdf(inner(level)))
        return whole * (1.0 - zeros) / (1.0 - level)

    name = f"log-normal, sd {sd:g}" + (f", {zeros:.0%} zeros" if zeros else "")
    return Law(name, draw, quantile, shortfall)


def poisson(mean: float) -> Law:
    """Counts of a Poisson law: every loss is shared by many runs."""

    def quantile(level: float) -> float:
        from scipy.special import pdtr

        k = 0
        while pdtr(k, mean) < level:
            k += 1
        return float(k)

    return Law(f"Poisson, mean {mean:g}", lambda stream, repeats, n: stream.poisson(mean, (repeats, n)) + 0.0, quantile)


VAR_LAWS = (log_normal(1.0), log_normal(2.1), log_normal(1.0, 0.9), log_normal(1.0, 0.96), poisson(0.3), poisson(4.0))
ES_LAWS = (log_normal(1.0), log_normal(2.1), log_normal(1.0, 0.9), log_normal(2.1, 0.9))

#: Level and runs at which the coverage of value at risk is told, and of expected shortfall.
VAR_CASES = ((0.95, 72), (0.95, 400), (0.99, 400))
ES_CASES = ((0.95, 1_000), (0.95, 2_000))


@dataclass(frozen=True)
class Coverage:
    """Share of repeats whose interval held the truth, lay below it, or above it; and how wide it was at the median."""

    law: str
    level: float
    n: int
    held: float
    below: float
    above: float
    width: float


@functools.cache
def of_value_at_risk(law: Law, level: float, n: int, repeats: int = REPEATS) -> Coverage:
    """Coverage of `value_at_risk` on samples of n."""
    ranks = order_ranks(n, level)
    assert ranks is not None, f"{n} runs have no interval at {level}"
    ordered = np.sort(law.draw(_stream("var", law, level, n), repeats, n), axis=1)
    return _coverage(law, level, n, law.quantile(level), ordered[:, ranks[0] - 1], ordered[:, ranks[1] - 1])


@functools.cache
def of_shortfall(law: Law, level: float, n: int, repeats: int = REPEATS) -> Coverage:
    """Coverage of `expected_shortfall` on samples of n."""
    assert law.shortfall is not None
    k = tail_size(n, level)
    drawn = law.draw(_stream("es", law, level, n), repeats, n)
    tails = np.sort(np.partition(drawn, n - k - 1, axis=1)[:, n - k - 1 :], axis=1)
    _, low, high = shortfall_of_tails(tails, n, level, CONFIDENCE)
    return _coverage(law, level, n, law.shortfall(level), low, high)


def _stream(kind: str, law: Law, level: float, n: int) -> np.random.Generator:
    return Randomness(0).stream("studies.coverage", kind, law.name, level, n)


def _coverage(law: Law, level: float, n: int, truth: float, low: np.ndarray, high: np.ndarray) -> Coverage:
    below, above = float((high < truth).mean()), float((low > truth).mean())
    width = float(np.median(high - low)) / truth if truth else 0.0
    return Coverage(law.name, level, n, 1.0 - below - above, below, above, width)
