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
        entries = self.journal.entries
        entries.append((self.emode_of, part, self.emode_of[part]))
        self.emode_of[part] = categories
        column = self.columns.emode
        entries.append((self.columns.emode_view, part, column[part].copy()))
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

        self._load_flags(asset, accounts, scaled_supplies, scaled_debts, collateral)
        self._add(accounts, self.scaled_supplies[asset], scaled_supplies)
        self._add(accounts, self.scaled_debts[asset], scaled_debts)
        self._mirror(asset, accounts)
        self._store(asset, RAY, RAY, now, supply + supplied, debt + borrowed, cash, due, deficit)
        if supplied >= borrowed:
            self.ledger.inflow(reserve.token, self.account, supplied - borrowed)
        else:
            self.ledger.outflow(reserve.token, self.account, borrowed - supplied)
        self.touched.extend(accounts)

    def _load_flags(
        self, asset: int, accounts: range, supplied: list[int], borrowed: list[int], collateral: bool
    ) -> None:
        """Flag new debts, and first supplies whose LTV is not zero as collateral."""
        part = slice(accounts.start, accounts.stop)
        old = self.flags[part]
        held = self.scaled_supplies[asset][part]
        debt_bit, collateral_bit = 1 << (2 * asset), 2 << (2 * asset)
        counts = {category: collateral and bool(risk[asset][0]) for category, risk in self._risk.items()}
        flags = []
        rows = zip(old, self.emode_of[part], held, supplied, borrowed, strict=True)
        for flag, category, before, more, debt in rows:
            if more and not before and counts[category]:
                flag |= collateral_bit
            if debt:
                flag |= debt_bit
            flags.append(flag)
        self.journal.entries.append((self.flags, part, old))
        self.flags[part] = flags

    def _add(self, accounts: range, column: list[int], amounts: list[int]) -> None:
        part = slice(accounts.start, accounts.stop)
        old = column[part]
        self.journal.entries.append((column, part, old))
        column[part] = [before + more for before, more in zip(old, amounts, strict=True)]

    def _mirror(self, asset: int, accounts: range) -> None:
        """Bring the float columns of the range in line with the integers."""
        part = slice(accounts.start, accounts.stop)
        inverse = self._inverse_units[asset]
        bit = 2 << (2 * asset)
        supply = np.array([scaled * inverse for scaled in self.scaled_supplies[asset][part]])
        debt = np.array([scaled * inverse for scaled in self.scaled_debts[asset][part]])
        counted = np.array([flag & bit != 0 for flag in self.flags[part]], dtype=bool)
        columns = self.columns
        self._put_part(columns.supply[asset], columns.supply_views[asset], part, supply)
        self._put_part(columns.debt[asset], columns.debt_views[asset], part, debt)
        self._put_part(columns.collateral[asset], columns.collateral_views[asset], part, np.where(counted, supply, 0.0))

    def _put_part(
        self, column: NDArray[np.float64], view: memoryview[float], part: slice, values: NDArray[np.float64]
    ) -> None:
        self.journal.entries.append((view, part, column[part].copy()))
        column[part] = values


def _require_matching(accounts: range, length: int, what: str) -> None:
    if accounts.step != 1:
        raise ValueError(f"accounts must be contiguous, not in steps of {accounts.step}")
    if length != len(accounts):
        raise ValueError(f"{len(accounts)} accounts and {length} {what}")
