"""`Shocked`: stated price changes laid over a price process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sim.prices.process import PriceProcess
from sim.randomness import Randomness


class Shock(NamedTuple):
    """A lasting relative change of one asset's price: -0.30 is a fall of 30 %.

    It begins `at_seconds` after the start of the run and builds up in a straight line over `over_seconds` (0: at once,
    at the first step at or after `at_seconds`).
    """

    asset: str
    at_seconds: int
    change_ratio: float
    over_seconds: int = 0


class Shocked(PriceProcess):
    """price x (1 + change_ratio x progress), progress = clip((t - at_seconds) / over_seconds, 0, 1); shocks multiply.

    Nothing random: the process beneath keeps its draws, so two runs that differ by a shock differ by that factor alone.
    """

    def __init__(self, process: PriceProcess, shocks: Sequence[Shock]) -> None:
        self.process = process
        self.symbols = process.symbols
        self.shocks = tuple(shocks)
        for shock in self.shocks:
            if shock.asset not in self.symbols:
                raise ValueError(f"shock: given asset {shock.asset}; allowed: {', '.join(self.symbols)}")
            if not -1.0 < shock.change_ratio < float("inf"):
                raise ValueError(f"change_ratio: given {shock.change_ratio!r}; allowed: a finite number above -1")
            if shock.at_seconds < 0 or shock.over_seconds < 0:
                given = f"{shock.at_seconds} and {shock.over_seconds}"
                raise ValueError(f"at_seconds, over_seconds: given {given}; allowed: 0 or more")

    def paths(self, randomness: Randomness, start_timestamp: int, steps: int, step_seconds: int) -> np.ndarray:
        """The process's prices times every shock's factor, USD."""
        matrix = self.process.paths(randomness, start_timestamp, steps, step_seconds).copy()
        seconds = np.arange(steps + 1, dtype=np.float64) * step_seconds
        for shock in self.shocks:
            if shock.over_seconds:
                progress = np.clip((seconds - shock.at_seconds) / shock.over_seconds, 0.0, 1.0)
            else:
                progress = (seconds >= shock.at_seconds).astype(np.float64)
            matrix[:, self.symbols.index(shock.asset)] *= 1.0 + shock.change_ratio * progress
        return matrix
