"""`CsvPath`: prices from a CSV file with a time column, at any spacing."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from sim.prices.process import PriceProcess, checked_grid
from sim.prices.recorded import Recorded
from sim.prices.table import check_window, parse, read_rows
from sim.randomness import Randomness

DAY_SECONDS = 86_400


class CsvPath(Recorded, PriceProcess):
    """Prices from a CSV file with columns time and one price column an asset, rows at any spacing.

    The last price recorded at or before a step is the price of that step: nothing is made up between two rows.
    `columns` maps an asset to its column; assets with a price in `price_usd` but no column stay at that price.
    `scale` as in `HistoricalPath`. A row holds until the next one, the last row for as long as the longest distance
    between two rows; two rows may be `max_gap_seconds` apart, a day unless told otherwise.

    Raises `PathError` for a file that cannot be used and for a run that it does not cover.
    """

    def __init__(
        self,
        file: str | Path,
        columns: Mapping[str, str],
        *,
        scale: str = "snapshot",
        price_usd: Mapping[str, float] | None = None,
        max_gap_seconds: int = DAY_SECONDS,
    ) -> None:
        self._prepare(columns, scale, price_usd)
        self._table = parse(read_rows(file), self.columns.values(), None, max_gap_seconds)

    @property
    def start_timestamp(self) -> int:
        """Unix time of the first row."""
        return self._table.times[0]

    @property
    def end_timestamp(self) -> int:
        """Unix time until which the last row holds."""
        times = self._table.times
        return times[-1] + max((late - early for early, late in pairwise(times)), default=0)

    def paths(self, randomness: Randomness, start_timestamp: int, steps: int, step_seconds: int) -> np.ndarray:
        """Prices at every step, USD; see `PriceProcess.paths`."""
        checked_grid(steps, step_seconds)
        check_window(self._table, self.end_timestamp, start_timestamp, start_timestamp + steps * step_seconds)
        moments = start_timestamp + np.arange(steps + 1, dtype=np.int64) * step_seconds
        rows = np.searchsorted(np.array(self._table.times, dtype=np.int64), moments, side="right") - 1
        recorded = {
            asset: np.array(self._table.columns[column], dtype=np.float64)[rows]
            for asset, column in self.columns.items()
        }
        return self._assemble(recorded, steps)
