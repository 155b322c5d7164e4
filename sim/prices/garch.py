"""`Garch`: hourly GARCH(1,1) with Student's t shocks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sim.prices.calibration import CALIBRATION
from sim.prices.correlation import CorrelatedNormals, Correlation
from sim.prices.hourly import HOURS_PER_YEAR, HourlyDiffusion, checked_start, checked_tails, tail_factors
from sim.prices.jumps import JumpModel
from sim.randomness import Randomness

#: Hours run before the first one when the variance at the start is to be drawn.
WARM_UP_HOURS = 1_000


class Garch(HourlyDiffusion):
    """h_(t+1) = (1 - alpha - beta) h + alpha r_t^2 + beta h_t, r_t = sqrt(h_t) z_t, z_t Student t of unit variance.

    h is the long-run variance of an hour, `volatility_per_year`^2 / 8760; alpha `shock_weight`, beta `memory_weight`
    (no units), `tail_degrees` the t's degrees of freedom (None: normal), r the hour's shock without drift and jumps.
    Each asset has its own h_t; their shocks are a multivariate t with constant correlation. With m the t's kurtosis
    3 (nu - 2) / (nu - 4), the returns' kurtosis is m (1 - (alpha + beta)^2) / (1 - (alpha + beta)^2 - (m - 1) alpha^2)
    where that is above zero, else it does not exist; r^2 has the autocorrelation a_1 (alpha + beta)^(k - 1).

    Bollerslev (1986), Journal of Econometrics 31; with t shocks (1987), Review of Economics and Statistics 69; constant
    correlations (1990), same review 72. Deviation: z_t is a normal times the square root of a factor common to all
    assets, so that within the hour the price is Brownian and E[S_t] = S_0 exp(mu t) holds exactly.

    One speed of decay: with the defaults a shock's weight halves every 77 h, so the volatility forgets a crash in days;
    for runs of weeks and more take `StochasticVolatility`. `start_volatility_ratio` is sqrt(h_0 / h); None lets the
    process run 1,000 h before. `jumps`: None, "market" (`market_jumps`) or `Jumps`. Defaults: `sim.prices.calibration`.
    """

    def __init__(
        self,
        price_usd: Mapping[str, float],
        volatility_per_year: Mapping[str, float],
        *,
        drift_per_year: Mapping[str, float] | None = None,
        correlation: Correlation = CALIBRATION["correlation"].value,
        shock_weight: float = CALIBRATION["garch_shock_weight"].value,
        memory_weight: float = CALIBRATION["garch_memory_weight"].value,
        tail_degrees: float | None = CALIBRATION["garch_tail_degrees"].value,
        start_volatility_ratio: float | None = None,
        jumps: JumpModel = None,
    ) -> None:
        super().__init__(
            price_usd,
            volatility_per_year,
            drift_per_year=drift_per_year,
            correlation=correlation,
            jumps=jumps,
        )
        for name, weight in (("shock_weight", shock_weight), ("memory_weight", memory_weight)):
            if not 0.0 <= weight < 1.0:
                raise ValueError(f"{name}: given {weight!r}; allowed: 0 to below 1")
        if shock_weight + memory_weight >= 1.0:
            raise ValueError(
                f"shock_weight + memory_weight: given {shock_weight!r} + {memory_weight!r};"
                " allowed: a sum below 1 (else the variance has no long-run mean)"
            )
        self.shock_weight = shock_weight
        self.memory_weight = memory_weight
        self.tail_degrees = checked_tails(tail_degrees)
        self.start_volatility_ratio = checked_start(start_volatility_ratio)

    def _variances(self, randomness: Randomness, shocks: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        hours = max((len(normals) for normals in shocks.values()), default=0)
        tails = tail_factors(randomness, "tails", hours, self.tail_degrees)
        starts = self._starts(randomness)
        found = {}
        for asset, normals in shocks.items():
            mean = self.volatility_per_year[asset] ** 2 / HOURS_PER_YEAR
            relative, _ = self._relative_variances(starts[asset], normals, tails)
            variance = mean * np.array(relative)
            found[asset] = variance if tails is None else variance * tails
        return found

    def _starts(self, randomness: Randomness) -> dict[str, float]:
        """h_0 / h of every asset."""
        if self.start_volatility_ratio is not None:
            return dict.fromkeys(self.moving, self.start_volatility_ratio**2)
        shocks = CorrelatedNormals(randomness, "shocks before the start", self._mixing).draw(WARM_UP_HOURS)
        tails = tail_factors(randomness, "tails before the start", WARM_UP_HOURS, self.tail_degrees)
        return {asset: self._relative_variances(1.0, normals, tails)[1] for asset, normals in shocks.items()}

    def _relative_variances(
        self, start: float, normals: np.ndarray, tails: np.ndarray | None
    ) -> tuple[list[float], float]:
        """h_t / h of each hour, before the t factor, and that of the hour after the last."""
        squares = normals * normals if tails is None else normals * normals * tails
        constant = 1.0 - self.shock_weight - self.memory_weight
        level = start
        path = []
        for square in squares.tolist():
            path.append(level)
            level = constant + (self.shock_weight * square + self.memory_weight) * level
        return path, level
