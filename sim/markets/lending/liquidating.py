"""Liquidation as an operation, and its preview (Aave V3.6, `LiquidationLogic.executeLiquidationCall`)."""

from __future__ import annotations

from typing import NamedTuple

from sim.chain.revert import Revert
from sim.markets.lending.constants import BORROWING_MASK, CEIL_RAY, HEALTH_FACTOR_LIQUIDATION_THRESHOLD, RAY
from sim.markets.lending.health import AccountHealth, health_factor_of
from sim.markets.lending.liquidation import Seizure, Side, liquidation_amounts
from sim.markets.lending.reasons import (
    ARITHMETIC,
    COLLATERAL_CANNOT_BE_LIQUIDATED,
    CURRENCY_NOT_BORROWED,
    HEALTH_FACTOR_NOT_BELOW,
    INVALID_BURN_AMOUNT,
    RESERVE_PAUSED,
    SELF_LIQUIDATION,
)
from sim.markets.lending.records import ACCRUED_TO_TREASURY, CASH, Liquidation, Totals
from sim.markets.lending.wad_ray import ray_mul_ceil

_NOBODY = -1


class Plan(NamedTuple):
    """A liquidation worked out and not yet written: accrued totals, amounts, scaled units that leave the borrower."""

    health_factor: int
    debt_totals: Totals
    collateral_totals: Totals
    held: int
    seizure: Seizure
    debt_burnt: int
    collateral_scaled: int
    fee_scaled: int
    fee_paid: int
    deficit: int
    nothing_left: bool
    treasury_share: int


class LiquidationOperations(AccountHealth):
    """Liquidations. Debt left without any collateral is written off where the rules book deficits."""

    def liquidate(
        self,
        sender: int,
        collateral_asset: int,
        debt_asset: int,
        borrower: int,
        debt_to_cover: int,
        receive_atoken: bool = False,
    ) -> Liquidation:
        """Repay up to `debt_to_cover` (token units, `MAX` for all that is allowed) of an unhealthy borrower's debt and
        seize collateral worth it plus the bonus, as tokens into the wallet or as aTokens.

        Reverts, in this order: SelfLiquidation, ReservePaused, HealthFactorNotBelowThreshold,
        CollateralCannotBeLiquidated, SpecifiedCurrencyNotBorrowedByUser, MustNotLeaveDust, InvalidBurnAmount, an
        arithmetic panic where the pool lacks the cash or rounding exceeds the balance, the ledger's for a short wallet.
        """
        now = self.clock.timestamp
        plan = self._plan(sender, collateral_asset, debt_asset, borrower, debt_to_cover, receive_atoken, now)
        covered, seized, _, _ = plan.seizure
        self._write_debt_side(plan, debt_asset, borrower)
        self._write_collateral_side(plan, collateral_asset, debt_asset, borrower, sender, receive_atoken)
        deficits: tuple[tuple[int, int], ...] = ((debt_asset, plan.deficit),) if plan.deficit else ()
        if plan.nothing_left and self.flags[borrower] & BORROWING_MASK:
            deficits += self._write_off(borrower, now)
        self.ledger.transfer(self.reserves[debt_asset].token, sender, self.account, covered)
        return Liquidation(
            borrower, collateral_asset, debt_asset, covered, seized, plan.fee_paid, deficits,
            plan.health_factor, receive_atoken,
        )  # fmt: skip

    def liquidation_preview(
        self,
        borrower: int,
        collateral_asset: int,
        debt_asset: int,
        debt_to_cover: int,
        receive_atoken: bool = False,
    ) -> Liquidation | None:
        """What `liquidate` would do now for somebody who can pay, without writing; None where it would be refused."""
        try:
            return self.plan_liquidation(borrower, collateral_asset, debt_asset, debt_to_cover, receive_atoken)
        except Revert:
            return None

    def plan_liquidation(
        self,
        borrower: int,
        collateral_asset: int,
        debt_asset: int,
        debt_to_cover: int,
        receive_atoken: bool = False,
    ) -> Liquidation:
        """As `liquidation_preview`, but raising the `Revert` with which `liquidate` would refuse."""
        now = self.clock.timestamp
        plan = self._plan(_NOBODY, collateral_asset, debt_asset, borrower, debt_to_cover, receive_atoken, now)
        covered, seized, _, _ = plan.seizure
        deficits = [(debt_asset, plan.deficit)] if plan.deficit else []
        if plan.nothing_left:
            for asset in self._used[self.flags[borrower]][1]:
                if asset != debt_asset:
                    owed = ray_mul_ceil(self.scaled_debts[asset][borrower], self._debt_index(asset, now))
                    deficits.append((asset, owed))
        return Liquidation(
            borrower, collateral_asset, debt_asset, covered, seized, plan.fee_paid, tuple(deficits),
            plan.health_factor, receive_atoken,
        )  # fmt: skip

    # ------------------------------------------------------------------ working out
    def _plan(
        self,
        liquidator: int,
        collateral_asset: int,
        debt_asset: int,
        borrower: int,
        debt_to_cover: int,
        receive_atoken: bool,
        now: int,
    ) -> Plan:
        """Everything a liquidation will write, or the `Revert` that refuses it (but for the liquidator's wallet)."""
        collateral_reserve = self.reserves[collateral_asset]
        debt_reserve = self.reserves[debt_asset]
        if borrower == liquidator:
            raise Revert(SELF_LIQUIDATION)
        if collateral_reserve.paused or debt_reserve.paused:
            raise Revert(RESERVE_PAUSED)
        total_collateral, total_debt, _, weighted_threshold = self._standing(borrower, now)
        health_factor = health_factor_of(weighted_threshold, total_debt)
        if health_factor >= HEALTH_FACTOR_LIQUIDATION_THRESHOLD:
            raise Revert(HEALTH_FACTOR_NOT_BELOW)
        if not self.flags[borrower] >> (2 * collateral_asset + 1) & 1:
            raise Revert(COLLATERAL_CANNOT_BE_LIQUIDATED)
        owed_scaled = self.scaled_debts[debt_asset][borrower]
        if not owed_scaled:
            raise Revert(CURRENCY_NOT_BORROWED)

        debt_totals = self._current(debt_asset, now)
        collateral_totals = self._current(collateral_asset, now)
        collateral_index, borrow_index = collateral_totals[0], debt_totals[1]
        held_scaled = self.scaled_supplies[collateral_asset][borrower]
        held = held_scaled * collateral_index // RAY
        owed = (owed_scaled * borrow_index + CEIL_RAY) // RAY
        rules = self.rules
        prices = self.prices
        seizure = liquidation_amounts(
            rules,
            health_factor,
            total_debt,
            Side(owed, prices[debt_asset], debt_reserve.unit),
            Side(held, prices[collateral_asset], collateral_reserve.unit),
            self._risk[self.emode_of[borrower]][collateral_asset][2],
            collateral_reserve.liquidation_protocol_fee_bps,
            debt_to_cover,
        )
        covered, seized, fee, seized_base = seizure
        nothing_left = rules.books_deficit and seized_base == total_collateral
        burnt = owed_scaled if nothing_left else covered * RAY // borrow_index
        if not burnt:
            raise Revert(INVALID_BURN_AMOUNT)
        scaled = (seized * RAY + collateral_index - 1) // collateral_index
        if not receive_atoken:
            cash = collateral_totals[CASH] + (covered if collateral_asset == debt_asset else 0)
            if seized > cash:
                raise Revert(ARITHMETIC)
            if not scaled:
                raise Revert(INVALID_BURN_AMOUNT)
        if scaled > held_scaled:
            raise Revert(ARITHMETIC)
        fee_scaled = 0
        if fee:
            fee_scaled = (fee * RAY + collateral_index - 1) // collateral_index
            if fee_scaled > held_scaled - scaled:
                fee_scaled = held_scaled - scaled
                fee = fee_scaled * collateral_index // RAY
        deficit = owed - covered if nothing_left else 0
        share = collateral_totals[ACCRUED_TO_TREASURY] - self._totals[collateral_asset][ACCRUED_TO_TREASURY]
        return Plan(
            health_factor, debt_totals, collateral_totals, held, seizure, burnt, scaled, fee_scaled, fee, deficit,
            nothing_left, share,
        )  # fmt: skip

    # ------------------------------------------------------------------ writing
    def _write_debt_side(self, plan: Plan, asset: int, borrower: int) -> None:
        """Burn the repaid (and the written-off) debt, take the cash in, renew the debt reserve's rates."""
        liquidity_index, borrow_index, _, _, now, supply, debt, cash, due, deficit = plan.debt_totals
        owed_scaled = self.scaled_debts[asset][borrower]
        self._set_debt(asset, borrower, owed_scaled - plan.debt_burnt)
        if owed_scaled == plan.debt_burnt:
            self._set_borrowing(asset, borrower, False)
        debt -= plan.debt_burnt
        cash += plan.seizure.debt_repaid
        deficit += plan.deficit
        self._store(asset, liquidity_index, borrow_index, now, supply, debt, cash, due, deficit)

    def _write_collateral_side(
        self, plan: Plan, asset: int, debt_asset: int, borrower: int, liquidator: int, receive_atoken: bool
    ) -> None:
        """Move the seized collateral to the liquidator and the fee to the treasury."""
        _, seized, fee, _ = plan.seizure
        supplies = self.scaled_supplies[asset]
        totals = plan.collateral_totals
        stored = self._totals[asset]
        if asset == debt_asset:
            # The contract accrues one reserve through two caches taken before either was written: where time has
            # passed, the treasury's share is booked twice.
            totals = (*stored[:8], stored[8] + plan.treasury_share, stored[9])
        if seized + fee == plan.held:
            self._set_collateral(asset, borrower, False)
        held_scaled = supplies[borrower] - plan.collateral_scaled - plan.fee_scaled
        self._set_supply(asset, borrower, held_scaled)
        if receive_atoken:
            self._set_supply(asset, liquidator, supplies[liquidator] + plan.collateral_scaled)
            if totals is not stored:
                self.journal.entries.append((self._totals, asset, stored))
                self._totals[asset] = totals
        else:
            liquidity_index, borrow_index, _, _, now, supply, debt, cash, due, deficit = totals
            supply -= plan.collateral_scaled
            self._store(asset, liquidity_index, borrow_index, now, supply, debt, cash - seized, due, deficit)
            self.ledger.transfer(self.reserves[asset].token, self.account, liquidator, seized)
        if plan.fee_scaled:
            self._set_supply(asset, self.treasury, supplies[self.treasury] + plan.fee_scaled)

    def _write_off(self, borrower: int, now: int) -> tuple[tuple[int, int], ...]:
        """Burn all debt of an account without collateral and book it as its reserves' deficits."""
        booked = []
        for asset in self._used[self.flags[borrower]][1]:
            liquidity_index, borrow_index, _, _, _, supply, debt, cash, due, deficit = self._current(asset, now)
            scaled = self.scaled_debts[asset][borrower]
            owed = (scaled * borrow_index + CEIL_RAY) // RAY
            self._set_debt(asset, borrower, 0)
            self._set_borrowing(asset, borrower, False)
            debt -= scaled
            deficit += owed
            self._store(asset, liquidity_index, borrow_index, now, supply, debt, cash, due, deficit)
            booked.append((asset, owed))
        return tuple(booked)
