"""The lending pool's exact state and the few ways in which it is written.

Per account: flat lists of integers, one per (reserve, quantity), plus one list of flag bits and one of e-modes. Per
reserve: one tuple of totals. Every write is journaled, the float columns in the same statements as their integers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.chain.clock import Clock
from sim.ledger import Ledger
from sim.markets.lending.accrual import accrue
from sim.markets.lending.columns import Columns
from sim.markets.lending.constants import CEIL_RAY, RAY
from sim.markets.lending.interest import grown_compounded, grown_linearly
from sim.markets.lending.liquidation import LIQUIDATION_RULES
from sim.markets.lending.records import (
    BORROW_INDEX,
    LIQUIDITY_INDEX,
    UPDATED_AT,
    Totals,
)
from sim.markets.lending.reserve import EMode, Reserve

#: (LTV, liquidation threshold, liquidation bonus) in bps.
Risk = tuple[int, int, int]


class FlagTable(dict[int, tuple[tuple[int, ...], tuple[int, ...]]]):
    """Flag bits of an account -> (reserves that are its collateral, reserves that it owes), once per pattern.

    A population uses a few dozen patterns; looking one up visits only the reserves an account really uses.
    """

    def __missing__(self, flags: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        reserves = range((flags.bit_length() + 1) // 2)
        collaterals = tuple(r for r in reserves if flags >> (2 * r + 1) & 1)
        debts = tuple(r for r in reserves if flags >> (2 * r) & 1)
        self[flags] = collaterals, debts
        return collaterals, debts


#: One table for all pools: what a pattern of bits means depends on no pool.
_USED = FlagTable()


class PoolState:
    """State of a lending pool. `prices[asset]` is the oracle's list, USD with 8 decimals per whole token, read only."""

    def __init__(
        self,
        name: str,
        ledger: Ledger,
        clock: Clock,
        *,
        prices: list[int],
        rules: str = "3.6",
        flash_premium_bps: int = 5,
    ) -> None:
        if rules not in LIQUIDATION_RULES:
            raise ValueError(f"rules {rules!r}: allowed {', '.join(LIQUIDATION_RULES)}")
        self.name = name
        self.ledger = ledger
        self.clock = clock
        self.journal = ledger.journal
        self.prices = prices
        self.rules = LIQUIDATION_RULES[rules]
        self.flash_premium_bps = flash_premium_bps

        self.reserves: list[Reserve] = []
        self.emodes: dict[int, EMode] = {}
        self._totals: list[Totals] = []
        self._accrued: list[tuple[Totals, int, Totals]] = []
        self._incomes: list[tuple[Totals, int, int]] = []
        self._debt_indexes: list[tuple[Totals, int, int]] = []
        self._units: list[int] = []
        self._inverse_units: list[float] = []
        self._risk: dict[int, list[Risk]] = {0: []}
        self._zero_ltv: dict[int, int] = {0: 0}
        self._used = _USED

        self.scaled_supplies: list[list[int]] = []
        self.scaled_debts: list[list[int]] = []
        self.flags: list[int] = []
        self.emode_of: list[int] = []
        self.columns = Columns()
        self._supply_views = self.columns.supply_views
        self._debt_views = self.columns.debt_views
        self._collateral_views = self.columns.collateral_views
        self.touched: list[int] = []
        ledger.watch(self._grow)
        self.account = ledger.open_account(name)
        self.treasury = ledger.open_account(f"{name} treasury")

    # ------------------------------------------------------------------ accounts and reserves
    def asset(self, symbol: str) -> int:
        """Reserve id of a token's symbol; `KeyError` if it is not listed."""
        for reserve in self.reserves:
            if reserve.symbol == symbol:
                return reserve.index
        raise KeyError(symbol)

    def _grow(self, accounts: int) -> None:
        """Called by the ledger when accounts are opened: every per-account list becomes as long."""
        missing = accounts - len(self.flags)
        if missing <= 0:
            return
        for column in (self.flags, self.emode_of, *self.scaled_supplies, *self.scaled_debts):
            column.extend([0] * missing)
        self.columns.resize(len(self.reserves), accounts, self.journal.entries)

    # ------------------------------------------------------------------ accrual
    # Indexes and totals at a time are worked out once per reserve and time. What is remembered is checked by identity
    # of the stored tuple it was worked out from, so neither a write nor an undo can make it stale.

    def _income(self, asset: int, now: int) -> int:
        """Liquidity index accrued to `now`, not written; it stands still where nothing is earned."""
        totals = self._totals[asset]
        if totals[UPDATED_AT] == now:
            return totals[LIQUIDITY_INDEX]
        before, at, index = self._incomes[asset]
        if before is totals and at == now:
            return index
        index, _, rate, _, updated_at, _, _, _, _, _ = totals
        if rate:
            index = grown_linearly(index, rate, now - updated_at)
        self._incomes[asset] = (totals, now, index)
        return index

    def _debt_index(self, asset: int, now: int) -> int:
        """Borrow index accrued to `now`, not written; it grows at the base rate even where nothing is owed."""
        totals = self._totals[asset]
        if totals[UPDATED_AT] == now:
            return totals[BORROW_INDEX]
        before, at, index = self._debt_indexes[asset]
        if before is totals and at == now:
            return index
        _, index, _, rate, updated_at, _, _, _, _, _ = totals
        index = grown_compounded(index, rate, now - updated_at)
        self._debt_indexes[asset] = (totals, now, index)
        return index

    def _current(self, asset: int, now: int) -> Totals:
        """All totals accrued to `now`, not written."""
        totals = self._totals[asset]
        if totals[UPDATED_AT] == now:
            return totals
        before, at, current = self._accrued[asset]
        if before is totals and at == now:
            return current
        reserve_factor_bps = self.reserves[asset].reserve_factor_bps
        current = accrue(totals, self._income(asset, now), self._debt_index(asset, now), reserve_factor_bps, now)
        self._accrued[asset] = (totals, now, current)
        return current

    # ------------------------------------------------------------------ writes
    def _store(
        self,
        asset: int,
        liquidity_index: int,
        borrow_index: int,
        now: int,
        supply: int,
        debt: int,
        cash: int,
        due: int,
        deficit: int,
    ) -> None:
        """Write a reserve's totals (indexes in ray, scaled supply and debt, the rest in token units) with new rates."""
        reserve = self.reserves[asset]
        borrow_rate, liquidity_rate = reserve.rate_model.rates(
            (debt * borrow_index + CEIL_RAY) // RAY, cash, deficit, reserve.reserve_factor_bps
        )
        totals = self._totals
        self.journal.entries.append((totals, asset, totals[asset]))
        totals[asset] = (
            liquidity_index, borrow_index, liquidity_rate, borrow_rate, now,
            supply, debt, cash, due, deficit,
        )  # fmt: skip

    def _set_supply(self, asset: int, account: int, scaled: int) -> None:
        """Write an account's scaled supply and its mirrors."""
        entries = self.journal.entries
        supplies = self.scaled_supplies[asset]
        entries.append((supplies, account, supplies[account]))
        supplies[account] = scaled
        whole = scaled * self._inverse_units[asset]
        view = self._supply_views[asset]
        entries.append((view, account, view[account]))
        view[account] = whole
        if self.flags[account] >> (2 * asset + 1) & 1:
            view = self._collateral_views[asset]
            entries.append((view, account, view[account]))
            view[account] = whole
        self.touched.append(account)

    def _set_debt(self, asset: int, account: int, scaled: int) -> None:
        """Write an account's scaled debt and its mirror."""
        entries = self.journal.entries
        debts = self.scaled_debts[asset]
        entries.append((debts, account, debts[account]))
        debts[account] = scaled
        view = self._debt_views[asset]
        entries.append((view, account, view[account]))
        view[account] = scaled * self._inverse_units[asset]
        self.touched.append(account)

    def _set_borrowing(self, asset: int, account: int, borrowing: bool) -> None:
        """Write the flag "has debt in this reserve"."""
        flags = self.flags
        old = flags[account]
        bit = 1 << (2 * asset)
        self.journal.entries.append((flags, account, old))
        flags[account] = old | bit if borrowing else old & ~bit

    def _set_collateral(self, asset: int, account: int, enabled: bool) -> None:
        """Write the flag "this supply is collateral" and the collateral mirror."""
        entries = self.journal.entries
        flags = self.flags
        old = flags[account]
        bit = 2 << (2 * asset)
        entries.append((flags, account, old))
        flags[account] = old | bit if enabled else old & ~bit
        view = self._collateral_views[asset]
        entries.append((view, account, view[account]))
        view[account] = self.scaled_supplies[asset][account] * self._inverse_units[asset] if enabled else 0.0
        self.touched.append(account)

    # ------------------------------------------------------------------ columns
    @property
    def collateral_column(self) -> NDArray[np.float64]:
        """[reserve, account]: scaled supply in whole tokens where it is flagged as collateral, else 0."""
        return self.columns.collateral

    @property
    def supply_column(self) -> NDArray[np.float64]:
        """[reserve, account]: scaled supply in whole tokens."""
        return self.columns.supply

    @property
    def debt_column(self) -> NDArray[np.float64]:
        """[reserve, account]: scaled debt in whole tokens."""
        return self.columns.debt

    @property
    def emode_column(self) -> NDArray[np.int16]:
        """[account]: e-mode category, 0 = none."""
        return self.columns.emode

    def drain_touched(self) -> list[int]:
        """Accounts whose columns may have changed since the last call (repeats and reverted ones included)."""
        touched = self.touched[:]
        self.touched.clear()
        return touched
