"""What recorded paths share: which assets they cover, and the scaling to the prices at the start of a run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sim.prices.process import checked_prices

SCALES = ("snapshot", "absolute")


class Recorded:
    """Assets with a column of a file, and assets that stay at their price because they have none."""

    symbols: tuple[str, ...]

    def _prepare(self, columns: Mapping[str, str], scale: str, price_usd: Mapping[str, float] | None) -> None:
        if scale not in SCALES:
            raise ValueError(f"scale: given {scale!r}; allowed: {' or '.join(SCALES)}")
        self.columns = dict(columns)
        self.scale = scale
        self.price_usd = checked_prices(price_usd or {})
        if scale == "snapshot":
            lacking = [asset for asset in self.columns if asset not in self.price_usd]
            if lacking:
                raise ValueError(f"price_usd: scale 'snapshot' needs the price of {', '.join(lacking)}")
        self.symbols = (*self.columns, *(asset for asset in self.price_usd if asset not in self.columns))
        if not self.symbols:
            raise ValueError("columns: given none; allowed: at least one asset with a column or a price")

    def _assemble(self, recorded: Mapping[str, np.ndarray], steps: int) -> np.ndarray:
        """The matrix of all assets: recorded ones, scaled as asked, and constant ones."""
        matrix = np.empty((steps + 1, len(self.symbols)))
        for place, asset in enumerate(self.symbols):
            path = recorded.get(asset)
            if path is None:
                matrix[:, place] = self.price_usd[asset]
            elif self.scale == "absolute":
                matrix[:, place] = path
            else:
                snapshot = self.price_usd[asset]
                matrix[:, place] = path * (snapshot / float(path[0]))
                matrix[0, place] = snapshot
        return matrix
