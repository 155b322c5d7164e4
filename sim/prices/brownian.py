"""`GeometricBrownianMotion`: log prices with independent normal increments, for tests with exact answers."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from sim.prices.process import FINE_SECONDS, YEAR_SECONDS, PriceProcess, checked_grid, checked_prices
from sim.randomness import Randomness


class GeometricBrownianMotion(PriceProcess):
    """dS/S = mu dt + sigma dW, so that E[S_t] = S_0 exp(mu t) and ln S_t has variance sigma^2 t.

    `volatility_per_year` sigma (1/sqrt(year)) and `drift_per_year` mu (1/year) by asset; an asset without volatility
    moves by its drift alone. dW_i = sqrt(rho) dF + sqrt(1 - rho) dE_i with a factor F common to all assets, so that
    any two log returns have `correlation` rho (0 to 1) and adding an asset leaves the others' paths as they were.
    Paths are made every 12 s (or every divisor that the step asks for), so steps of 12 s and 60 s see the same path.
    It has neither clustering nor jumps: use it for exact tests and beneath shocks, not as a model of a market.
    """

    def __init__(
        self,
        price_usd: Mapping[str, float],
        volatility_per_year: Mapping[str, float],
        *,
        drift_per_year: Mapping[str, float] | None = None,
        correlation: float = 0.0,
    ) -> None:
        self.price_usd = checked_prices(price_usd)
        self.symbols = tuple(self.price_usd)
        self.volatility_per_year = self._known("volatility_per_year", volatility_per_year)
        self.drift_per_year = self._known("drift_per_year", drift_per_year or {})
        for asset, volatility in self.volatility_per_year.items():
            if volatility < 0.0:
                raise ValueError(f"volatility_per_year of {asset}: given {volatility!r}; allowed: 0 or more")
        if not 0.0 <= correlation <= 1.0:
            raise ValueError(
                f"correlation: given {correlation!r}; allowed: 0 to 1 (one common factor cannot make it negative)"
            )
        self.correlation = correlation

    def paths(self, randomness: Randomness, start_timestamp: int, steps: int, step_seconds: int) -> np.ndarray:
        """Prices at every step, USD; see `PriceProcess.paths`."""
        checked_grid(steps, step_seconds)
        fine = math.gcd(FINE_SECONDS, step_seconds)
        every = step_seconds // fine
        count = steps * every
        root = math.sqrt(fine / YEAR_SECONDS)
        common = randomness.stream("prices", "common").standard_normal(count) * math.sqrt(self.correlation)
        own_weight = math.sqrt(1.0 - self.correlation)
        years = np.arange(1, steps + 1) * (step_seconds / YEAR_SECONDS)
        matrix = np.empty((steps + 1, len(self.symbols)))
        for place, asset in enumerate(self.symbols):
            sigma = self.volatility_per_year.get(asset, 0.0)
            drift = self.drift_per_year.get(asset, 0.0) - 0.5 * sigma * sigma
            own = randomness.stream("prices", "brownian", asset).standard_normal(count) * own_weight
            log_moves = drift * years + sigma * root * np.cumsum(common + own)[every - 1 :: every]
            start = self.price_usd[asset]
            matrix[0, place] = start
            matrix[1:, place] = [start * math.exp(move) for move in log_moves.tolist()]
        return matrix

    def _known(self, name: str, values: Mapping[str, float]) -> dict[str, float]:
        for asset, value in values.items():
            if asset not in self.price_usd:
                raise ValueError(f"{name}: given asset {asset}; allowed: {', '.join(self.symbols)}")
            if not math.isfinite(value):
                raise ValueError(f"{name} of {asset}: given {value!r}; allowed: a finite number")
        return dict(values)
