"""Supplying side: supply, withdraw, collateral flag, aToken transfer (Aave V3.6, `SupplyLogic`)."""

from __future__ import annotations

from sim.chain.revert import Revert
from sim.markets.lending.constants import BORROWING_MASK, MAX, RAY
from sim.markets.lending.health import AccountHealth
from sim.markets.lending.reasons import (
    ARITHMETIC,
    INVALID_AMOUNT,
    LTV_ZERO,
    NOT_ENOUGH_BALANCE,
    RESERVE_FROZEN,
    RESERVE_PAUSED,
    SUPPLY_CAP_EXCEEDED,
    SUPPLY_TO_ATOKEN,
    UNDERLYING_BALANCE_ZERO,
    WITHDRAW_TO_ATOKEN,
)
from sim.markets.lending.records import CollateralSet, Supplied, Transferred, Withdrawn


class SupplyOperations(AccountHealth):
    """Operations on aTokens, amounts in token units. What is given rounds down, what is taken rounds up."""

    def supply(self, sender: int, asset: int, amount: int, on_behalf_of: int | None = None) -> Supplied:
        """Pay `amount` in from the sender's wallet as aTokens of `on_behalf_of` (default: the sender).

        A first supply becomes collateral by itself where its LTV is not zero. Reverts: InvalidAmount (rounds to
        nothing), ReservePaused, ReserveFrozen, SupplyToAToken, SupplyCapExceeded, or the ledger's for a short wallet.
        """
        account = sender if on_behalf_of is None else on_behalf_of
        now = self.clock.timestamp
        reserve = self.reserves[asset]
        liquidity_index, borrow_index, _, _, _, supply, debt, cash, due, deficit = self._current(asset, now)

        scaled = amount * RAY // liquidity_index
        if scaled <= 0:
            raise Revert(INVALID_AMOUNT)
        if reserve.paused:
            raise Revert(RESERVE_PAUSED)
        if reserve.frozen:
            raise Revert(RESERVE_FROZEN)
        if account == self.account:
            raise Revert(SUPPLY_TO_ATOKEN)
        cap = reserve.supply_cap_tokens
        if cap and (supply + scaled + due) * liquidity_index // RAY > cap * reserve.unit:
            raise Revert(SUPPLY_CAP_EXCEEDED)

        self._store(asset, liquidity_index, borrow_index, now, supply + scaled, debt, cash + amount, due, deficit)
        self.ledger.transfer(reserve.token, sender, self.account, amount)
        held = self.scaled_supplies[asset][account]
        self._set_supply(asset, account, held + scaled)
        if not held and self._risk[self.emode_of[account]][asset][0]:
            self._set_collateral(asset, account, True)
        return Supplied(asset, account, amount, scaled)

    def withdraw(self, sender: int, asset: int, amount: int, to: int | None = None) -> Withdrawn:
        """Take `amount` (`MAX`: all there is) out of the sender's supply into the wallet of `to` (default: the sender).

        Reverts: WithdrawToAToken, InvalidAmount, NotEnoughAvailableUserBalance, ReservePaused, an arithmetic panic
        where the pool has less cash, HealthFactorLowerThanLiquidationThreshold, LtvValidationFailed.
        """
        receiver = sender if to is None else to
        if receiver == self.account:
            raise Revert(WITHDRAW_TO_ATOKEN)
        now = self.clock.timestamp
        reserve = self.reserves[asset]
        liquidity_index, borrow_index, _, _, _, supply, debt, cash, due, deficit = self._current(asset, now)

        held = self.scaled_supplies[asset][sender]
        if amount == MAX:
            scaled = held
            amount = held * liquidity_index // RAY
        else:
            scaled = (amount * RAY + liquidity_index - 1) // liquidity_index
        if scaled <= 0:
            raise Revert(INVALID_AMOUNT)
        if scaled > held:
            raise Revert(NOT_ENOUGH_BALANCE)
        if reserve.paused:
            raise Revert(RESERVE_PAUSED)
        if amount > cash:
            raise Revert(ARITHMETIC)

        self._store(asset, liquidity_index, borrow_index, now, supply - scaled, debt, cash - amount, due, deficit)
        self._set_supply(asset, sender, held - scaled)
        self.ledger.transfer(reserve.token, self.account, receiver, amount)
        self._after_release(asset, sender, held == scaled, now)
        return Withdrawn(asset, receiver, amount, scaled)

    def _after_release(self, asset: int, account: int, emptied: bool, now: int) -> None:
        """Supply has left: an emptied one is no collateral any more, and a borrower must still be healthy."""
        flags = self.flags[account]
        if flags >> (2 * asset + 1) & 1:
            if emptied:
                self._set_collateral(asset, account, False)
            if flags & BORROWING_MASK:
                self._require_healthy_after_release(account, asset, now)

    def set_collateral(self, sender: int, asset: int, enabled: bool) -> CollateralSet:
        """Count the sender's supply as collateral, or no longer.

        Reverts: ReservePaused, UnderlyingBalanceZero, UserInIsolationModeOrLtvZero (its LTV is zero),
        HealthFactorLowerThanLiquidationThreshold, LtvValidationFailed. Setting what is set already does nothing.
        """
        if self.reserves[asset].paused:
            raise Revert(RESERVE_PAUSED)
        if enabled == bool(self.flags[sender] >> (2 * asset + 1) & 1):
            return CollateralSet(asset, enabled)
        if enabled:
            if not self.scaled_supplies[asset][sender]:
                raise Revert(UNDERLYING_BALANCE_ZERO)
            if not self._risk[self.emode_of[sender]][asset][0]:
                raise Revert(LTV_ZERO)
            self._set_collateral(asset, sender, True)
        else:
            self._set_collateral(asset, sender, False)
            self._require_healthy_after_release(sender, asset, self.clock.timestamp)
        return CollateralSet(asset, enabled)

    def transfer_atoken(self, sender: int, asset: int, to: int, amount: int) -> Transferred:
        """Move `amount` (token units) of supply to another account, whose flags stay as they are.

        Reverts: an arithmetic panic where the sender has less, ReservePaused, and as a withdrawal for its collateral.
        """
        now = self.clock.timestamp
        liquidity_index = self._income(asset, now)
        scaled = (amount * RAY + liquidity_index - 1) // liquidity_index
        held = self.scaled_supplies[asset][sender]
        if not 0 <= scaled <= held:
            raise Revert(ARITHMETIC)
        self._set_supply(asset, sender, held - scaled)
        self._set_supply(asset, to, self.scaled_supplies[asset][to] + scaled)
        if self.reserves[asset].paused:
            raise Revert(RESERVE_PAUSED)
        if sender != to and scaled:
            self._after_release(asset, sender, held == scaled, now)
        return Transferred(asset, to, amount, scaled)
