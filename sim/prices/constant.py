"""`ConstantPrices`: prices that do not move."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sim.prices.process import PriceProcess, checked_grid, checked_prices
from sim.randomness import Randomness


class ConstantPrices(PriceProcess):
    """Every asset stays at its price in `price_usd` (USD per whole token)."""

    def __init__(self, price_usd: Mapping[str, float]) -> None:
        self.price_usd = checked_prices(price_usd)
        self.symbols = tuple(self.price_usd)

    def paths(self, randomness: Randomness, start_timestamp: int, steps: int, step_seconds: int) -> np.ndarray:
        """The same row (steps + 1) times."""
        checked_grid(steps, step_seconds)
        return np.tile(np.array(list(self.price_usd.values()), dtype=np.float64), (steps + 1, 1))
