"""`WithRatios`: assets that are worth a slowly growing multiple of another asset, such as staked ETH."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from sim.prices.process import YEAR_SECONDS, PriceProcess
from sim.randomness import Randomness


class Ratio(NamedTuple):
    """An asset worth `ratio` whole tokens of `base` at the start, growing by `ratio_growth_per_year` (1/year)."""

    base: str
    ratio: float
    ratio_growth_per_year: float = 0.0

    def at(self, seconds: float) -> float:
        """Ratio `seconds` after the start: ratio x exp(growth x years), a year having 365 days."""
        return self.ratio * math.exp(self.ratio_growth_per_year * seconds / YEAR_SECONDS)


class WithRatios(PriceProcess):
    """The columns of a process, and one more for every ratio asset: base price x ratio(t).

    The base may be another ratio asset. Lay shocks beneath: a ratio asset then follows its base through them.
    """

    def __init__(self, process: PriceProcess, ratios: Mapping[str, Ratio]) -> None:
        self.process = process
        self.ratios = _ordered(process.symbols, ratios)
        self.symbols = (*process.symbols, *self.ratios)

    def paths(self, randomness: Randomness, start_timestamp: int, steps: int, step_seconds: int) -> np.ndarray:
        """The process's prices and the derived ones, USD."""
        beneath = self.process.paths(randomness, start_timestamp, steps, step_seconds)
        matrix = np.empty((steps + 1, len(self.symbols)))
        matrix[:, : beneath.shape[1]] = beneath
        for place, ratio in enumerate(self.ratios.values(), start=beneath.shape[1]):
            multiples = np.array([ratio.at(step * step_seconds) for step in range(steps + 1)])
            matrix[:, place] = matrix[:, self.symbols.index(ratio.base)] * multiples
        return matrix


def _ordered(symbols: tuple[str, ...], ratios: Mapping[str, Ratio]) -> dict[str, Ratio]:
    """The ratios, each after its base; `ValueError` for a missing base, a loop, or a ratio that is not above zero."""
    for asset, ratio in ratios.items():
        if asset in symbols:
            raise ValueError(f"ratio: given {asset}, which has a price of its own; allowed: other assets")
        if not 0.0 < ratio.ratio < float("inf"):
            raise ValueError(f"ratio of {asset}: given {ratio.ratio!r}; allowed: a finite number above 0")
        if ratio.base not in symbols and ratio.base not in ratios:
            raise ValueError(f"base of {asset}: given {ratio.base}; allowed: {', '.join([*symbols, *ratios])}")
    ordered: dict[str, Ratio] = {}
    waiting = dict(ratios)
    while waiting:
        ready = [asset for asset, ratio in waiting.items() if ratio.base in symbols or ratio.base in ordered]
        if not ready:
            raise ValueError(
                f"base: given a loop among {', '.join(waiting)}; allowed: bases that end in a priced asset"
            )
        for asset in ready:
            ordered[asset] = waiting.pop(asset)
    return ordered
