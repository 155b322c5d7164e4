"""Flash loans and the treasury's aTokens (Aave V3.6, `FlashLoanLogic`, `PoolLogic`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sim.chain.revert import Revert
from sim.markets.lending.constants import RAY
from sim.markets.lending.percentage import percent_mul_ceil
from sim.markets.lending.reasons import ARITHMETIC, FLASHLOAN_DISABLED, INVALID_AMOUNT, RESERVE_PAUSED
from sim.markets.lending.records import CASH, SCALED_SUPPLY, FlashLoan, TreasuryMinted
from sim.markets.lending.state import PoolState


class FlashOperations(PoolState):
    """Cash lent for the length of one call, and the treasury's income turned into aTokens."""

    def flash_loan(self, sender: int, asset: int, amount: int, callback: Callable[[], None]) -> FlashLoan:
        """Lend `amount` (token units) to the sender, call `callback()`, take amount and premium back.

        premium = amount · premium share, rounded up; in V3.6 all of it is due to the treasury. The sender's wallet must
        hold amount and premium when the callback returns. Reverts: ReservePaused, FlashloanDisabled, InvalidAmount
        (more than the whole supply), an arithmetic panic where the pool has less cash, the ledger's for a short wallet,
        and whatever the callback raises. Only called from within a transaction: the journal undoes a failed loan.
        """
        now = self.clock.timestamp
        reserve = self.reserves[asset]
        if reserve.paused:
            raise Revert(RESERVE_PAUSED)
        if not reserve.flash_loan_enabled:
            raise Revert(FLASHLOAN_DISABLED)
        if self._totals[asset][SCALED_SUPPLY] * self._income(asset, now) // RAY < amount or amount < 0:
            raise Revert(INVALID_AMOUNT)
        premium = percent_mul_ceil(amount, self.flash_premium_bps)
        entries = self.journal.entries
        stored = self._totals[asset]
        if amount > stored[CASH]:
            raise Revert(ARITHMETIC)
        entries.append((self._totals, asset, stored))
        self._totals[asset] = (*stored[:7], stored[7] - amount, *stored[8:])
        self.ledger.transfer(reserve.token, self.account, sender, amount)

        callback()

        liquidity_index, borrow_index, _, _, _, supply, debt, cash, due, deficit = self._current(asset, now)
        cash += amount + premium
        due += premium * RAY // liquidity_index
        self._store(asset, liquidity_index, borrow_index, now, supply, debt, cash, due, deficit)
        self.ledger.transfer(reserve.token, sender, self.account, amount + premium)
        return FlashLoan(asset, amount, premium)

    def mint_to_treasury(self, sender: int, assets: Iterable[int]) -> TreasuryMinted:
        """Turn what reserves owe the treasury into aTokens of the treasury's account. Anybody may ask for it."""
        now = self.clock.timestamp
        minted = []
        for asset in assets:
            stored = self._totals[asset]
            supply, debt, cash, due, deficit = stored[5:]
            if not due:
                continue
            amount = due * self._income(asset, now) // RAY
            self.journal.entries.append((self._totals, asset, stored))
            self._totals[asset] = (*stored[:5], supply + due, debt, cash, 0, deficit)
            self._set_supply(asset, self.treasury, self.scaled_supplies[asset][self.treasury] + due)
            minted.append((asset, amount))
        return TreasuryMinted(tuple(minted))
