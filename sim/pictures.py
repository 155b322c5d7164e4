"""Pictures: the pool's float columns as they stood after a step, from which tables are made when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

RAY = 1e-27


class Picture:
    """A copy of what a table of positions is made of: scaled balances, prices, indexes and factors of one step.

    It has the names of the pool's own columns, so that it can be read in the pool's place. Taking it costs a copy of
    all balances; renewing it costs as many accounts as have changed.
    """

    def __init__(self, pool: Any, accounts: int, step: int) -> None:
        self.supply_column: np.ndarray = pool.supply_column[:, :accounts].copy()
        self.debt_column: np.ndarray = pool.debt_column[:, :accounts].copy()
        # Collateral is supply that counts: one byte instead of eight says which does.
        self.counted = pool.collateral_column[:, :accounts] != 0.0
        self.emode_column: np.ndarray = pool.emode_column[:accounts].copy()
        self._see(pool, step)

    def renew(self, pool: Any, changed: Iterable[int], step: int) -> None:
        """Make it the picture of `step`; `changed` names every account whose balances differ from what it shows."""
        rows = np.array(sorted(changed), dtype=np.int64)
        self.supply_column[:, rows] = pool.supply_column[:, rows]
        self.debt_column[:, rows] = pool.debt_column[:, rows]
        self.counted[:, rows] = pool.collateral_column[:, rows] != 0.0
        self.emode_column[rows] = pool.emode_column[rows]
        self._see(pool, step)

    def _see(self, pool: Any, step: int) -> None:
        assets = range(len(pool.reserves))
        self.step = step
        self.prices_usd = [pool.prices[asset] * 1e-8 for asset in assets]
        self.incomes = [pool.normalized_income(asset) * RAY for asset in assets]
        self.interests = [pool.normalized_debt(asset) * RAY for asset in assets]
        self.factors: tuple[np.ndarray, np.ndarray] = pool.factors()

    @property
    def collateral_column(self) -> np.ndarray:
        """[reserve, account]: scaled supply that counted as collateral, whole tokens, else 0."""
        return np.where(self.counted, self.supply_column, 0.0)
