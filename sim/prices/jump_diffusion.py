"""`JumpDiffusion`: correlated geometric Brownian motions with Merton's jumps, whose moments are known exactly."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sim.prices.correlation import Correlation
from sim.prices.hourly import HOURS_PER_YEAR, HourlyDiffusion
from sim.prices.jumps import JumpModel
from sim.randomness import Randomness


class JumpDiffusion(HourlyDiffusion):
    """dS/S = (mu - lambda k) dt + sigma dW + (e^Y - 1) dN, k = E[e^Y] - 1, Y normal(m, s), N Poisson of rate lambda.

    Merton (1976), "Option pricing when underlying stock returns are discontinuous", Journal of Financial Economics 3.
    The log return over t years has the cumulants
    (mu - sigma^2/2 - lambda k + lambda m) t, (sigma^2 + lambda (m^2 + s^2)) t, lambda (m^3 + 3 m s^2) t and
    lambda (m^4 + 6 m^2 s^2 + 3 s^4) t; two assets have the covariance
    (rho sigma_1 sigma_2 + lambda c (m_1 m_2 + rho_J s_1 s_2)) t with c the common share and rho_J the correlation of
    common sizes. E[S_t] = S_0 exp(mu t).

    `volatility_per_year` sigma (1/sqrt(year)) is that of the diffusion alone, `drift_per_year` mu (1/year), by asset;
    `correlation` rho is a number from 0 to 1 or a matrix (asset -> asset -> correlation), `jumps` a
    `Jumps`, or "market" for `market_jumps`; without them this is geometric Brownian motion with a full correlation
    matrix. It has jumps but no clustering.
    """

    def __init__(
        self,
        price_usd: Mapping[str, float],
        volatility_per_year: Mapping[str, float],
        jumps: JumpModel = None,
        *,
        drift_per_year: Mapping[str, float] | None = None,
        correlation: Correlation = 0.0,
    ) -> None:
        super().__init__(
            price_usd, volatility_per_year, drift_per_year=drift_per_year, correlation=correlation, jumps=jumps
        )

    def _variances(self, randomness: Randomness, shocks: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {
            asset: np.full(len(normals), self.volatility_per_year[asset] ** 2 / HOURS_PER_YEAR)
            for asset, normals in shocks.items()
        }
