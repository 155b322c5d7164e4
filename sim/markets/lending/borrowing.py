"""Borrowing side: borrow, repay from the wallet, repay with aTokens (Aave V3.6, `BorrowLogic`)."""

from __future__ import annotations

from sim.chain.revert import Revert
from sim.markets.lending.constants import BORROWING_MASK, CEIL_RAY, MAX, RAY
from sim.markets.lending.health import AccountHealth
from sim.markets.lending.reasons import (
    ARITHMETIC,
    BORROW_CAP_EXCEEDED,
    BORROWING_NOT_ENABLED,
    INVALID_AMOUNT,
    INVALID_BURN_AMOUNT,
    NO_DEBT,
    NO_EXPLICIT_AMOUNT,
    NOT_BORROWABLE_IN_EMODE,
    RESERVE_FROZEN,
    RESERVE_PAUSED,
)
from sim.markets.lending.records import Borrowed, Repaid, Totals


class BorrowOperations(AccountHealth):
    """Operations on debt, amounts in token units. What is owed rounds up, what a payment clears rounds down."""

    def borrow(self, sender: int, asset: int, amount: int) -> Borrowed:
        """Take out `amount` at the variable rate, against the sender's collateral, into the sender's wallet.

        Reverts, in this order: InvalidAmount, ReservePaused, ReserveFrozen, NotBorrowableInEMode or
        BorrowingNotEnabled, InvalidAmount (more than the whole supply), BorrowCapExceeded, an arithmetic panic where
        the pool has less cash, LtvValidationFailed, HealthFactorLowerThanLiquidationThreshold,
        CollateralCannotCoverNewBorrow.
        """
        now = self.clock.timestamp
        reserve = self.reserves[asset]
        liquidity_index, borrow_index, _, _, _, supply, debt, cash, due, deficit = self._current(asset, now)

        scaled = (amount * RAY + borrow_index - 1) // borrow_index
        if scaled <= 0:
            raise Revert(INVALID_AMOUNT)
        if reserve.paused:
            raise Revert(RESERVE_PAUSED)
        if reserve.frozen:
            raise Revert(RESERVE_FROZEN)
        category = self.emode_of[sender]
        if category:
            if not self.emodes[category].borrowable >> asset & 1:
                raise Revert(NOT_BORROWABLE_IN_EMODE)
        elif not reserve.borrowing_enabled:
            raise Revert(BORROWING_NOT_ENABLED)
        if supply * liquidity_index // RAY < (scaled * borrow_index + CEIL_RAY) // RAY:
            raise Revert(INVALID_AMOUNT)
        debt += scaled
        cap = reserve.borrow_cap_tokens
        if cap and (debt * borrow_index + CEIL_RAY) // RAY > cap * reserve.unit:
            raise Revert(BORROW_CAP_EXCEEDED)
        if amount > cash:
            raise Revert(ARITHMETIC)

        self._set_debt(asset, sender, self.scaled_debts[asset][sender] + scaled)
        if not self.flags[sender] >> (2 * asset) & 1:
            self._set_borrowing(asset, sender, True)
        self._store(asset, liquidity_index, borrow_index, now, supply, debt, cash - amount, due, deficit)
        self.ledger.transfer(reserve.token, self.account, sender, amount)
        self._require_covered(sender, now)
        return Borrowed(asset, amount, scaled)

    def repay(self, sender: int, asset: int, amount: int, on_behalf_of: int | None = None) -> Repaid:
        """Pay up to `amount` (`MAX`: everything, only for oneself) of a debt from the sender's wallet.

        Reverts: InvalidAmount, NoExplicitAmountToRepayOnBehalf, ReservePaused, NoDebtOfSelectedType, InvalidBurnAmount
        (too little to clear one unit of scaled debt), or the ledger's for a short wallet.
        """
        account = sender if on_behalf_of is None else on_behalf_of
        if amount == MAX and sender != account:
            raise Revert(NO_EXPLICIT_AMOUNT)
        totals = self._current(asset, self.clock.timestamp)
        paid = self._clear_debt(asset, account, amount, amount, totals, True)
        self.ledger.transfer(self.reserves[asset].token, sender, self.account, paid)
        return Repaid(asset, account, paid, False)

    def repay_with_atokens(self, sender: int, asset: int, amount: int) -> Repaid:
        """Clear up to `amount` (`MAX`: all that both allow) of the sender's debt with the sender's own supply.

        No cash moves. Reverts as `repay`, with an arithmetic panic where the supply is smaller, and
        HealthFactorLowerThanLiquidationThreshold where it was collateral for other debt.
        """
        totals = self._current(asset, self.clock.timestamp)
        liquidity_index = totals[0]
        held = self.scaled_supplies[asset][sender]
        wanted = held * liquidity_index // RAY if amount == MAX else amount
        paid = self._clear_debt(asset, sender, amount, wanted, totals, False)

        burnt = (paid * RAY + liquidity_index - 1) // liquidity_index
        if burnt > held:
            raise Revert(ARITHMETIC)
        self._set_supply(asset, sender, held - burnt)
        current = self._totals[asset]
        self.journal.entries.append((self._totals, asset, current))
        self._totals[asset] = (*current[:5], current[5] - burnt, *current[6:])
        flags = self.flags[sender]
        if flags >> (2 * asset + 1) & 1:
            if held == burnt:
                self._set_collateral(asset, sender, False)
            if flags & BORROWING_MASK:
                self._require_healthy(sender, self.clock.timestamp)
        return Repaid(asset, sender, paid, True)

    def _clear_debt(self, asset: int, account: int, asked: int, wanted: int, totals: Totals, with_cash: bool) -> int:
        """Burn at most `wanted` of an account's debt, write the reserve, and return what was really cleared."""
        if asked <= 0:
            raise Revert(INVALID_AMOUNT)
        reserve = self.reserves[asset]
        if reserve.paused:
            raise Revert(RESERVE_PAUSED)
        owed_scaled = self.scaled_debts[asset][account]
        if not owed_scaled:
            raise Revert(NO_DEBT)
        liquidity_index, borrow_index, _, _, now, supply, debt, cash, due, deficit = totals
        owed = (owed_scaled * borrow_index + CEIL_RAY) // RAY
        paid = owed if wanted > owed else wanted
        cleared = paid * RAY // borrow_index
        if not cleared:
            raise Revert(INVALID_BURN_AMOUNT)
        self._set_debt(asset, account, owed_scaled - cleared)
        if with_cash:
            cash += paid
        debt -= cleared
        self._store(asset, liquidity_index, borrow_index, now, supply, debt, cash, due, deficit)
        if cleared == owed_scaled:
            self._set_borrowing(asset, account, False)
        return paid
