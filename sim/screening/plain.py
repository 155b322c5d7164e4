"""The plain screen: every armed account is read at every look, in elementwise passes over the columns.

The right choice for small populations, and the honest measure for the grouped screen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sim.screening.columns import BAD_FACTOR, Columns
from sim.screening.screen import Screen, lengthened

#: Accounts per pass: the working arrays of one pass stay in a core's second-level cache.
_CHUNK = 16_384


class PlainScreen(Screen):
    """One pass over all accounts between the first and the last armed one."""

    def __init__(self, columns: Columns, decide: Callable[[int], bool], **settings: Any) -> None:
        super().__init__(columns, decide, **settings)
        # What the ratio is compared with; -1 for whoever is not watched or has no denominator: never crossed.
        self._limit = np.zeros(0)
        self._first = 0
        self._end = 0
        self._above = np.empty(_CHUNK)
        self._below = np.empty(_CHUNK)
        self._product = np.empty(_CHUNK)
        self._crossed = np.empty(_CHUNK, dtype=bool)

    def look(self, collateral_factors: np.ndarray, debt_factors: np.ndarray) -> list[int]:
        """The accounts that have newly crossed, ascending."""
        if not (collateral_factors.min() >= 0.0 and debt_factors.min() >= 0.0):
            raise ValueError(BAD_FACTOR)
        found: list[int] = []
        by_reserve = np.ascontiguousarray(collateral_factors.T)
        plain = by_reserve[:, 0].tolist()
        debt_weights = debt_factors.tolist()
        slack = self.slack_usd
        collateral, debt = self._above, self._below
        if self.side == "above":
            collateral, debt = debt, collateral
        for begin in range(self._first, self._end, _CHUNK):
            end = min(begin + _CHUNK, self._end)
            size = end - begin
            self._weigh_collateral(collateral[:size], begin, end, by_reserve, plain)
            self._weigh_debt(debt[:size], begin, end, debt_weights)
            above, below, crossed = self._above[:size], self._below[:size], self._crossed[:size]
            above -= slack
            below += slack
            below *= self._limit[begin:end]
            np.less(above, below, out=crossed)
            if crossed.any():
                found.extend((np.flatnonzero(crossed) + begin).tolist())
        handed = [account for account in found if self.decide(account)]
        if handed:
            self._limit[handed] = -1.0
        return handed

    def _weigh_collateral(
        self, out: np.ndarray, begin: int, end: int, by_reserve: np.ndarray, plain: list[float]
    ) -> None:
        column = self.columns.collateral_column
        emode = self.columns.emode_column[begin:end]
        product = self._product[: end - begin]
        rows = emode.astype(np.intp) if emode.any() else None
        for reserve, factor in enumerate(plain):
            target = product if reserve else out
            if rows is None:
                np.multiply(column[reserve, begin:end], factor, out=target)
            else:
                np.take(by_reserve[reserve], rows, out=target, mode="clip")
                target *= column[reserve, begin:end]
            if reserve:
                out += product

    def _weigh_debt(self, out: np.ndarray, begin: int, end: int, weights: list[float]) -> None:
        column = self.columns.debt_column
        product = self._product[: end - begin]
        for reserve, factor in enumerate(weights):
            np.multiply(column[reserve, begin:end], factor, out=product if reserve else out)
            if reserve:
                out += product

    # ------------------------------------------------------------------ armed accounts
    def _enter(self, rows: np.ndarray) -> None:
        if not len(rows):
            return
        first, end = int(rows.min()), int(rows.max()) + 1
        if self._end == 0:
            self._first, self._end = first, end
        else:
            self._first, self._end = min(self._first, first), max(self._end, end)
        column = self.columns.debt_column if self.side == "below" else self.columns.collateral_column
        present = column.take(rows, axis=1).any(axis=0)
        self._limit[rows] = np.where(present, self._limits(rows), -1.0)

    def _leave(self, rows: np.ndarray) -> None:
        self._limit[rows] = -1.0

    def _extend(self, size: int) -> None:
        super()._extend(size)
        self._limit = lengthened(self._limit, size, -1.0)
