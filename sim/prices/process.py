"""`PriceProcess`: what every model of exogenous prices offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from sim.randomness import Randomness

#: Seconds of a year of 365 days, the year of the lending pool's interest rates.
YEAR_SECONDS = 31_536_000

#: Spacing in seconds on which random paths are made: steps that are multiples of it see one and the same path.
FINE_SECONDS = 12


class PriceProcess(ABC):
    """Exogenous prices of some assets over a whole run, made ahead.

    `symbols` names the columns of the matrix, in order. Each asset and purpose draws from a stream of its own, so
    adding an asset changes no other asset's path.
    """

    symbols: tuple[str, ...]

    @abstractmethod
    def paths(self, randomness: Randomness, start_timestamp: int, steps: int, step_seconds: int) -> np.ndarray:
        """Prices in USD per whole token, float64 of shape (steps + 1, assets): row k at start + k step_seconds.

        Raises `PathError` when a recorded path does not cover the run.
        """


def checked_prices(price_usd: Mapping[str, float]) -> dict[str, float]:
    """The prices as given, refused with `ValueError` unless all are finite and above zero."""
    for symbol, price in price_usd.items():
        if not 0.0 < price < float("inf"):
            raise ValueError(f"price of {symbol}: given {price!r}; allowed: a finite number above 0 USD")
    return dict(price_usd)


def checked_grid(steps: int, step_seconds: int) -> None:
    """Refuse a run without steps' length."""
    if steps < 0:
        raise ValueError(f"steps: given {steps}; allowed: 0 or more")
    if step_seconds < 1:
        raise ValueError(f"step_seconds: given {step_seconds}; allowed: 1 or more")
