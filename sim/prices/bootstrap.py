"""`BlockBootstrap`: new paths from blocks of a recorded one, drawn alike for all assets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from sim.prices.bar_path import BarGrid, bridged_bars
from sim.prices.bars import DAY_SECONDS, HOUR_SECONDS, Bars, CloseBar, bar_mixing, read_bars
from sim.prices.bridge import Bar
from sim.prices.calibration import CALIBRATION
from sim.prices.process import YEAR_SECONDS, PriceProcess, checked_grid, checked_prices
from sim.randomness import Randomness


class BlockBootstrap(PriceProcess):
    """Stationary bootstrap of recorded bars: after each bar comes the next of the file, or with chance 1/b any bar.

    Politis and Romano (1994), "The stationary bootstrap", JASA 89: blocks begin anywhere in the file with equal
    probability, have geometric lengths of mean b bars (`mean_block_days`), and wrap around its end; the result is
    stationary, with the file's distribution of returns, and its autocovariances at lag k times (1 - 1/b)^k. All assets
    take the same blocks, so what holds between them at one time survives. Volatility clusters survive up to the blocks'
    length.

    `files` maps an asset to a CSV file of hourly or daily rows with time and open, high, low, close, or time and close
    alone; `columns` maps it to the prefix X of X_open, X_high, X_low, X_close, or to a single column X of prices at the
    rows' times, where several assets share a file. Blocks come from the time that all files cover. Bars enter as ratios
    to the close before, so gaps between bars survive too; the path inside a bar is that of `bridged_bars`. Paths start
    at `price_usd`, bars count from the start of the run; an asset without a file stays at its price. The drift is the
    file's; `log_growth_per_year` replaces it by asset: the mean of ln(S_t / S_0) is then that value (1/year) times t,
    exactly at the ends of bars.

    Raises `PathError` for files that cannot be used, `ValueError` for arguments that make no sense.
    """

    def __init__(
        self,
        files: Mapping[str, str | Path],
        price_usd: Mapping[str, float],
        *,
        columns: Mapping[str, str] | None = None,
        mean_block_days: float = CALIBRATION["mean_block_days"].value,
        log_growth_per_year: Mapping[str, float] | None = None,
    ) -> None:
        self.price_usd = checked_prices(price_usd)
        self.symbols = tuple(self.price_usd)
        self.files = dict(files)
        if not files:
            raise ValueError("files: given none; allowed: at least one asset with a file")
        for asset in files:
            if asset not in self.price_usd:
                raise ValueError(f"price_usd: given no price of {asset}; allowed: a price of every asset with a file")
        self.log_growth_per_year = dict(log_growth_per_year or {})
        for name, assets in (("columns", columns or {}), ("log_growth_per_year", self.log_growth_per_year)):
            for asset in assets:
                if asset not in files:
                    raise ValueError(f"{name}: given asset {asset}; allowed: {', '.join(files)}")
        for asset, growth in self.log_growth_per_year.items():
            if not -100.0 <= growth <= 100.0:
                raise ValueError(f"log_growth_per_year of {asset}: given {growth!r}; allowed: -100 to 100")
        self._recorded = read_bars(files, columns or {}, [HOUR_SECONDS, DAY_SECONDS], single=True)
        self.bar_seconds = self._recorded.bar_seconds
        self._mixing = bar_mixing(self._recorded.bars)
        self._tilts = {
            asset: growth - self.recorded_log_growth_per_year(asset)
            for asset, growth in self.log_growth_per_year.items()
        }
        shortest = self.bar_seconds / DAY_SECONDS
        longest = len(self._recorded.times) * shortest
        if not shortest <= mean_block_days <= longest:
            raise ValueError(
                f"mean_block_days: given {mean_block_days!r}; allowed: {shortest:.4g} (one bar) to {longest:.4g}"
                f" (the whole of {self._recorded.file})"
            )
        self.mean_block_days = mean_block_days

    def blocks(self, randomness: Randomness, count: int) -> list[int]:
        """The recorded bars that follow each other in the path, by their number in the file."""
        recorded = len(self._recorded.times)
        new_block = self.bar_seconds / DAY_SECONDS / self.mean_block_days
        picked: list[int] = []
        for start, chance in randomness.stream("prices", "blocks").random((count, 2)).tolist():
            if not picked or chance < new_block:
                picked.append(int(start * recorded))
            else:
                picked.append((picked[-1] + 1) % recorded)
        return picked

    def paths(self, randomness: Randomness, start_timestamp: int, steps: int, step_seconds: int) -> np.ndarray:
        """Prices at every step, USD; see `PriceProcess.paths`."""
        checked_grid(steps, step_seconds)
        grid = BarGrid(self.bar_seconds, 0, steps, step_seconds)
        picked = self.blocks(randomness, grid.bars.stop + 1)  # one more, for the open that follows the last close
        chained = {asset: _chained(self._recorded.bars[asset], picked, self.price_usd[asset]) for asset in self.files}
        bridged = bridged_bars(randomness, chained, grid, self._mixing)
        matrix = np.empty((steps + 1, len(self.symbols)))
        for place, asset in enumerate(self.symbols):
            if asset not in bridged:
                matrix[:, place] = self.price_usd[asset]
                continue
            matrix[:, place] = bridged[asset]
            matrix[0, place] = self.price_usd[asset]
            if asset in self._tilts:
                tilt = self._tilts[asset] * step_seconds / YEAR_SECONDS
                matrix[:, place] *= np.array([math.exp(tilt * step) for step in range(steps + 1)])
        return matrix

    def recorded_log_growth_per_year(self, asset: str) -> float:
        """Mean log return of the file's bars, gaps between them included, times the bars of a year."""
        bars = self._recorded.bars[asset]
        moves = [math.log(bar.close / _before(bars, number)) for number, bar in enumerate(bars)]
        return math.fsum(moves) / len(moves) * YEAR_SECONDS / self.bar_seconds


def _before(bars: Bars, number: int) -> float:
    """The close before a bar; the first one has none, so its open stands for it."""
    return bars[number - 1].close if number else bars[0].open


def _chained(bars: Bars, picked: Sequence[int], start: float) -> Bars:
    """The picked bars one after the other, each scaled to the close before; the first opens at `start`."""
    level = start * (_before(bars, picked[0]) / bars[picked[0]].open)
    chain: list[Bar | CloseBar] = []
    for number in picked:
        bar = bars[number]
        scale = level / _before(bars, number)
        if isinstance(bar, Bar):
            chain.append(Bar(bar.open * scale, bar.high * scale, bar.low * scale, bar.close * scale))
        else:
            chain.append(CloseBar(bar.open * scale, bar.close * scale, bar.log_sd))
        level = bar.close * scale
    return chain
