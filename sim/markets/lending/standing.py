"""What an account has where, at which terms; and the audit of the pool's books."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sim.ledger import LedgerImbalance
from sim.markets.lending.constants import PERCENTAGE_FACTOR, RAY
from sim.markets.lending.percentage import percent_mul_ceil
from sim.markets.lending.records import ACCRUED_TO_TREASURY, CASH, LIQUIDITY_INDEX, SCALED_DEBT, SCALED_SUPPLY
from sim.markets.lending.state import PoolState


class Standing(PoolState):
    """Readers by account, for agents that plan, and the full sums."""

    def emode(self, account: int) -> int:
        """The account's e-mode category, 0 for none."""
        return self.emode_of[account]

    def collateral_assets(self, account: int) -> tuple[int, ...]:
        """Reserves whose supply is flagged as the account's collateral."""
        return self._used[self.flags[account]][0]

    def debt_assets(self, account: int) -> tuple[int, ...]:
        """Reserves that the account owes."""
        return self._used[self.flags[account]][1]

    def liquidation_threshold_ratio(self, asset: int, category: int = 0) -> float:
        """Liquidation threshold of a collateral inside an e-mode category (0: none), 0 to 1."""
        return self._risk[category][asset][1] / PERCENTAGE_FACTOR

    def liquidation_bonus_ratio(self, asset: int, category: int = 0) -> float:
        """Liquidation bonus of a collateral inside an e-mode category, as a share of the debt (0.05 is 5 %)."""
        return max(self._risk[category][asset][2] / PERCENTAGE_FACTOR - 1.0, 0.0)

    def terms(self, asset: int, category: int = 0) -> tuple[int, int, int]:
        """(LTV, liquidation threshold, 1 + liquidation bonus) of a collateral inside an e-mode category, in bps."""
        return self._risk[category][asset]

    def supply_room(self, asset: int) -> int | None:
        """What the supply cap still allows to be supplied, in token units; None without a cap."""
        reserve = self.reserves[asset]
        if not reserve.supply_cap_tokens:
            return None
        totals = self._current(asset, self.clock.timestamp)
        supplied = (totals[SCALED_SUPPLY] + totals[ACCRUED_TO_TREASURY]) * totals[LIQUIDITY_INDEX] // RAY
        # One token of margin: the pool rounds, and time passes until the transaction is executed.
        return max(0, (reserve.supply_cap_tokens - 1) * reserve.unit - supplied)

    def flash_premium(self, amount: int) -> int:
        """Premium of a flash loan of `amount`, rounded up, in token units."""
        return percent_mul_ceil(amount, self.flash_premium_bps)

    def audit(self) -> None:
        """Full sums, to the unit: scaled balances against totals, no negative one, cash covered by the ledger.

        Raises `LedgerImbalance` naming the reserve.
        """
        for part in self.audit_parts():
            part()

    def audit_parts(self, signs: bool = True) -> list[Callable[[], None]]:
        """The audit column by column, with or without the signs; each part holds between any two transactions."""
        parts: list[Callable[[], None]] = []
        for asset in range(len(self.reserves)):
            parts.append(
                partial(self._audit_column, asset, "scaled supply", self.scaled_supplies, SCALED_SUPPLY, signs)
            )
            parts.append(partial(self._audit_column, asset, "scaled debt", self.scaled_debts, SCALED_DEBT, signs))
            parts.append(partial(self._audit_cash, asset))
        return parts

    def _audit_column(self, asset: int, what: str, columns: list[list[int]], place: int, signs: bool) -> None:
        symbol, column, expected = self.reserves[asset].symbol, columns[asset], self._totals[asset][place]
        total = sum(column)
        if total != expected:
            raise LedgerImbalance(f"{symbol}: {what} of all accounts {total}, total {expected}")
        if signs and column and min(column) < 0:
            raise LedgerImbalance(f"{symbol}: negative {what} on account {column.index(min(column))}")

    def _audit_cash(self, asset: int) -> None:
        reserve, cash = self.reserves[asset], self._totals[asset][CASH]
        held = self.ledger.balances[reserve.token][self.account]
        if cash > held:
            raise LedgerImbalance(f"{reserve.symbol}: virtual balance {cash} exceeds cash {held}")
