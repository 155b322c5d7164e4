"""Loading a whole population's positions at once, before a run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.markets.lending.constants import RAY
from sim.markets.lending.state import PoolState


class BulkLoading(PoolState):
    """Positions written column by column, totals and rates once.

    Where the positions could have been opened one by one in the same second, the pool ends in the same state to the
    unit. They may also be such as no borrow could open (health factors down to and below 1). Each column is one entry
    of the journal, so that a load, too, can be undone.
    """

    def load_emodes(self, accounts: range, categories: list[int]) -> None:
        """Put each account of a contiguous range into an e-mode (0 = none), unchecked. Load e-modes before balances:
        which supply becomes collateral depends on them.
        """
        _require_matching(accounts, len(categories), "categories")
        unknown = sorted(set(categories) - self._risk.keys())
        if unknown:
            raise ValueError(f"e-mode {unknown[0]} is not listed; listed: {sorted(self._risk)}")
        part = slice(accounts.start, accounts.stop)
        self._put_list(self.emode_of, part, categories)
        column = self.columns.emode
        self.journal.entries.append((self.columns.emode_view, part, column[part].copy()))
        column[part] = categories
        self.touched.extend(accounts)

    def load(
        self,
        asset: int,
        accounts: range,
        scaled_supplies: list[int],
        scaled_debts: list[int],
        collateral: bool = True,
    ) -> None:
        """Add supplies and debts of a contiguous range of accounts in one reserve, element i to account i of the range.

        Amounts are in token units at an index of 1 ray, that of a reserve which has not yet earned interest. Supplies
        become collateral (unless `collateral` is False) where their LTV is not zero, as a first supply does. Supplies
        less debts flow in from outside as the pool's cash: what was borrowed has been spent elsewhere. Caps, freezes
        and health are not checked. `ValueError` for lengths that differ, negative amounts, an index that has grown, or
        more debt than there is supply to lend.
        """
        _require_matching(accounts, len(scaled_supplies), "scaled supplies")
        _require_matching(accounts, len(scaled_debts), "scaled debts")
        if min(scaled_supplies, default=0) < 0 or min(scaled_debts, default=0) < 0:
            raise ValueError("loaded supplies and debts must not be negative")
        reserve = self.reserves[asset]
        current = self._current(asset, self.clock.timestamp)
        liquidity_index, borrow_index, _, _, now, supply, debt, cash, due, deficit = current
        if liquidity_index != RAY or borrow_index != RAY:
            raise ValueError(f"{reserve.symbol} has earned interest already: load before the first block")
        supplied, borrowed = sum(scaled_supplies), sum(scaled_debts)
        cash += supplied - borrowed
        if cash < 0:
            raise ValueError(f"{reserve.symbol}: loaded debt exceeds supply by {-cash} units; load lenders first")

        part = slice(accounts.start, accounts.stop)
        if supplied:
            self._load_supplies(asset, part, scaled_supplies, collateral)
        if borrowed:
            self._load_debts(asset, part, scaled_debts)
        self._store(asset, RAY, RAY, now, supply + supplied, debt + borrowed, cash, due, deficit)
        if supplied >= borrowed:
            self.ledger.inflow(reserve.token, self.account, supplied - borrowed)
        else:
            self.ledger.outflow(reserve.token, self.account, borrowed - supplied)
        self.touched.extend(accounts)

    def _load_supplies(self, asset: int, part: slice, amounts: list[int], collateral: bool) -> None:
        """Add supplies; first ones whose LTV is not zero become collateral."""
        bit = 2 << (2 * asset)
        counts = {category: collateral and bool(risk[asset][0]) for category, risk in self._risk.items()}
        rows = zip(self.flags[part], self.emode_of[part], self.scaled_supplies[asset][part], amounts, strict=True)
        flags = [flag | bit if more and not held and counts[category] else flag for flag, category, held, more in rows]
        self._put_list(self.flags, part, flags)
        supply = self._add(self.scaled_supplies[asset], part, amounts) * self._inverse_units[asset]
        flagged = np.array([flag & bit != 0 for flag in flags], dtype=bool)
        columns = self.columns
        self._put_column(columns.supply[asset], columns.supply_views[asset], part, supply)
        counted = np.where(flagged, supply, 0.0)
        self._put_column(columns.collateral[asset], columns.collateral_views[asset], part, counted)

    def _load_debts(self, asset: int, part: slice, amounts: list[int]) -> None:
        """Add debts and flag them."""
        bit = 1 << (2 * asset)
        flags = [flag | bit if debt else flag for flag, debt in zip(self.flags[part], amounts, strict=True)]
        self._put_list(self.flags, part, flags)
        debt = self._add(self.scaled_debts[asset], part, amounts) * self._inverse_units[asset]
        self._put_column(self.columns.debt[asset], self.columns.debt_views[asset], part, debt)

    def _add(self, column: list[int], part: slice, amounts: list[int]) -> NDArray[np.float64]:
        """Add amounts to a part of a column of integers; returns the new integers as floats."""
        old = column[part]
        new = [before + more for before, more in zip(old, amounts, strict=True)] if any(old) else list(amounts)
        self._put_list(column, part, new)
        return np.fromiter(map(float, new), dtype=np.float64, count=len(new))

    def _put_list(self, column: list[int], part: slice, values: list[int]) -> None:
        self.journal.entries.append((column, part, column[part]))
        column[part] = values

    def _put_column(
        self, column: NDArray[np.float64], view: memoryview[float], part: slice, values: NDArray[np.float64]
    ) -> None:
        self.journal.entries.append((view, part, column[part].copy()))
        column[part] = values


def _require_matching(accounts: range, length: int, what: str) -> None:
    if accounts.step != 1:
        raise ValueError(f"accounts must be contiguous, not in steps of {accounts.step}")
    if length != len(accounts):
        raise ValueError(f"{len(accounts)} accounts and {length} {what}")
