"""Jumps of log prices: when they come, how large they are, which of them hit all assets at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from sim.prices.calibration import CALIBRATION
from sim.prices.process import YEAR_SECONDS
from sim.randomness import Randomness


class Jumps(NamedTuple):
    """Compound Poisson jumps (Merton 1976): `per_year` arrivals (1/year), log sizes normal(mean_log, sd_log) by asset.

    An asset jumps if `mean_log` or `sd_log` names it. The share `common_share` of the arrivals hits all of them at the
    same moment, with sizes correlated by `size_correlation`; the rest come to each asset alone.
    """

    per_year: float
    mean_log: Mapping[str, float]
    sd_log: Mapping[str, float]
    common_share: float = CALIBRATION["jump_common_share"].value
    size_correlation: float = CALIBRATION["jump_size_correlation"].value

    def hits(self, asset: str) -> bool:
        """Whether the asset has jumps at all."""
        return self.per_year > 0.0 and (asset in self.mean_log or asset in self.sd_log)

    def compensation_per_year(self, asset: str) -> float:
        """Growth of the expected price through jumps, per_year x (exp(mean_log + sd_log^2 / 2) - 1), 1/year."""
        if not self.hits(asset):
            return 0.0
        mean, sd = self.mean_log.get(asset, 0.0), self.sd_log.get(asset, 0.0)
        return self.per_year * (math.exp(mean + 0.5 * sd * sd) - 1.0)


def market_jumps(
    volatility_per_year: Mapping[str, float],
    *,
    per_year: float = CALIBRATION["jumps_per_year"].value,
    mean_per_volatility: float = CALIBRATION["jump_mean_per_volatility"].value,
    sd_per_volatility: float = CALIBRATION["jump_sd_per_volatility"].value,
    common_share: float = CALIBRATION["jump_common_share"].value,
    size_correlation: float = CALIBRATION["jump_size_correlation"].value,
) -> Jumps:
    """Jumps in proportion to each asset's volatility: ETH (0.80 a year) by 6 % about a mean of -2 %, others likewise.

    `mean_per_volatility` and `sd_per_volatility` have the unit sqrt(year): log size per volatility of a year.
    """
    return Jumps(
        per_year,
        {asset: mean_per_volatility * volatility for asset, volatility in volatility_per_year.items()},
        {asset: sd_per_volatility * volatility for asset, volatility in volatility_per_year.items()},
        common_share,
        size_correlation,
    )


#: What a process takes: jumps as stated, those of `market_jumps` for its volatilities, or none.
JumpModel = Jumps | Literal["market"] | None


def resolved_jumps(jumps: JumpModel, volatility_per_year: Mapping[str, float], symbols: Sequence[str]) -> Jumps | None:
    """The jumps meant, checked against the assets of a process."""
    if jumps is None:
        return None
    if isinstance(jumps, Jumps):
        return checked_jumps(jumps, symbols)
    if jumps != "market":
        raise ValueError(f"jumps: given {jumps!r}; allowed: Jumps, 'market' or None")
    return checked_jumps(market_jumps(volatility_per_year), symbols)


def checked_jumps(jumps: Jumps, symbols: Sequence[str]) -> Jumps:
    """The jumps, refused with `ValueError` unless every figure is allowed and every asset known."""
    if not 0.0 <= jumps.per_year < math.inf:
        raise ValueError(f"per_year of jumps: given {jumps.per_year!r}; allowed: a finite number, 0 or more")
    for name, values, lowest, allowed in (
        ("mean_log", jumps.mean_log, -5.0, "-5 to 5"),
        ("sd_log", jumps.sd_log, 0.0, "0 to 5"),
    ):
        for asset, value in values.items():
            if asset not in symbols:
                raise ValueError(f"{name} of jumps: given asset {asset}; allowed: {', '.join(symbols)}")
            if not lowest <= value <= 5.0:
                raise ValueError(f"{name} of {asset}'s jumps: given {value!r}; allowed: {allowed}")
    for name, share in (("common_share", jumps.common_share), ("size_correlation", jumps.size_correlation)):
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"{name} of jumps: given {share!r}; allowed: 0 to 1")
    return jumps


def jump_log_moves(randomness: Randomness, jumps: Jumps, asset: str, seconds: np.ndarray) -> np.ndarray:
    """Sum of the asset's log jumps from the start until each of `seconds` (ascending), the moment itself included.

    Arrivals and sizes do not know the steps: any step sees the same jumps, at its first moment at or after them.
    """
    if not jumps.hits(asset):
        return np.zeros(len(seconds))
    mean, sd = jumps.mean_log.get(asset, 0.0), jumps.sd_log.get(asset, 0.0)
    horizon = float(seconds[-1]) if len(seconds) else 0.0
    together = jumps.common_share * jumps.per_year
    common = _arrivals(randomness.stream("prices", "jumps"), together, horizon)
    alone = _arrivals(randomness.stream("prices", "jumps", asset), jumps.per_year - together, horizon)
    market = randomness.stream("prices", "common jump sizes").standard_normal(len(common))
    part = randomness.stream("prices", "common jump sizes", asset).standard_normal(len(common))
    shared, own = math.sqrt(jumps.size_correlation), math.sqrt(1.0 - jumps.size_correlation)
    common_sizes = mean + sd * (shared * market + own * part)
    own_sizes = mean + sd * randomness.stream("prices", "jump sizes", asset).standard_normal(len(alone))
    return _until(common, common_sizes, seconds) + _until(alone, own_sizes, seconds)


def _arrivals(generator: np.random.Generator, per_year: float, horizon: float) -> np.ndarray:
    """Arrival times of a Poisson process in (0, horizon], s: a longer horizon only adds later ones."""
    times: list[float] = []
    if per_year <= 0.0:
        return np.array(times)
    mean_seconds = YEAR_SECONDS / per_year
    moment = mean_seconds * generator.standard_exponential()
    while moment <= horizon:
        times.append(moment)
        moment += mean_seconds * generator.standard_exponential()
    return np.array(times)


def _until(times: np.ndarray, sizes: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Sum of the sizes whose time is at or before each of `seconds`."""
    sums = np.concatenate([[0.0], np.cumsum(sizes)])
    return sums[np.searchsorted(times, seconds, side="right")]
