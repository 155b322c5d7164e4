"""Changing a pool's parameters while it runs (Aave V3.6, `PoolConfigurator`).

Each setter is an operation like any other: the sender comes first, the write is journaled and undone with its
transaction. Who may call them is not modelled; a scenario decides.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sim.chain.revert import Revert
from sim.markets.lending.constants import MAX_CAP_TOKENS, PERCENTAGE_FACTOR
from sim.markets.lending.listing import Listing
from sim.markets.lending.rates import (
    MAX_OPTIMAL_USAGE_RAY,
    MAX_RATE_RAY,
    MIN_OPTIMAL_USAGE_RAY,
    RateModel,
    TwoSlopeRates,
)
from sim.markets.lending.reasons import (
    FLASHLOAN_PREMIUM_INVALID,
    INCONSISTENT_EMODE,
    INVALID_BORROW_CAP,
    INVALID_EMODE_PARAMS,
    INVALID_FREEZE_STATE,
    INVALID_LIQUIDATION_FEE,
    INVALID_LTV_ZERO_STATE,
    INVALID_MAX_RATE,
    INVALID_OPTIMAL_USAGE,
    INVALID_RESERVE_FACTOR,
    INVALID_RESERVE_PARAMS,
    INVALID_SUPPLY_CAP,
    MUST_BE_EMODE_COLLATERAL,
    RESERVE_FROZEN,
    RESERVE_LIQUIDITY_NOT_ZERO,
    SLOPE2_BELOW_SLOPE1,
)
from sim.markets.lending.records import ACCRUED_TO_TREASURY, SCALED_SUPPLY, collateral_problems
from sim.markets.lending.reserve import EMode, Reserve


class ParameterSet(NamedTuple):
    """A parameter and its new value; `asset` is -1 for one of the whole pool or of an e-mode."""

    asset: int
    parameter: str
    value: Any


class AdminOperations(Listing):
    """Setters of reserve, e-mode and pool parameters."""

    def set_supply_cap(self, sender: int, asset: int, supply_cap_tokens: int) -> ParameterSet:
        """Most whole tokens that may be supplied, 0 = no cap; what is above it stays. Reverts InvalidSupplyCap."""
        if not 0 <= supply_cap_tokens <= MAX_CAP_TOKENS:
            raise Revert(INVALID_SUPPLY_CAP)
        return self._write(asset, "supply_cap_tokens", supply_cap_tokens)

    def set_borrow_cap(self, sender: int, asset: int, borrow_cap_tokens: int) -> ParameterSet:
        """Most whole tokens that may be owed, 0 = no cap; what is above it stays. Reverts InvalidBorrowCap."""
        if not 0 <= borrow_cap_tokens <= MAX_CAP_TOKENS:
            raise Revert(INVALID_BORROW_CAP)
        return self._write(asset, "borrow_cap_tokens", borrow_cap_tokens)

    def set_borrowing_enabled(self, sender: int, asset: int, enabled: bool) -> ParameterSet:
        """Whether the asset may be borrowed outside e-mode."""
        return self._write(asset, "borrowing_enabled", enabled)

    def set_flash_loan_enabled(self, sender: int, asset: int, enabled: bool) -> ParameterSet:
        """Whether the asset may be lent by flash loan."""
        return self._write(asset, "flash_loan_enabled", enabled)

    def set_paused(self, sender: int, asset: int, paused: bool) -> ParameterSet:
        """Stop every operation on the reserve, or let them run again. Liquidation has no grace period afterwards."""
        return self._write(asset, "paused", paused)

    def set_flash_premium(self, sender: int, premium_bps: int) -> ParameterSet:
        """Premium of flash loans. Reverts FlashloanPremiumInvalid above 100 %."""
        if not 0 <= premium_bps <= PERCENTAGE_FACTOR:
            raise Revert(FLASHLOAN_PREMIUM_INVALID)
        self.journal.put(vars(self), "flash_premium_bps", premium_bps)
        return ParameterSet(-1, "flash_premium_bps", premium_bps)

    def set_liquidation_protocol_fee(self, sender: int, asset: int, fee_bps: int) -> ParameterSet:
        """The treasury's share of the liquidation bonus. Reverts InvalidLiquidationProtocolFee above 100 %."""
        if not 0 <= fee_bps <= PERCENTAGE_FACTOR:
            raise Revert(INVALID_LIQUIDATION_FEE)
        return self._write(asset, "liquidation_protocol_fee_bps", fee_bps)

    # ------------------------------------------------------------------ rates
    def set_reserve_factor(self, sender: int, asset: int, reserve_factor_bps: int) -> ParameterSet:
        """The treasury's share of what borrowers pay; accrues at the old share first, then renews the rates."""
        if not 0 <= reserve_factor_bps <= PERCENTAGE_FACTOR:
            raise Revert(INVALID_RESERVE_FACTOR)
        self._accrue_then(asset, "reserve_factor_bps", reserve_factor_bps)
        return ParameterSet(asset, "reserve_factor_bps", reserve_factor_bps)

    def set_rate_params(
        self,
        sender: int,
        asset: int,
        optimal_usage_ray: int,
        base_rate_ray: int,
        slope1_ray: int,
        slope2_ray: int,
    ) -> ParameterSet:
        """New two-slope curve (ray, rates per year); accrues at the old rates first, then renews them.

        Reverts: InvalidOptimalUsageRatio outside 1 % to 99 %, Slope2MustBeGteSlope1, InvalidMaxRate above 1000 %.
        """
        if not MIN_OPTIMAL_USAGE_RAY <= optimal_usage_ray <= MAX_OPTIMAL_USAGE_RAY:
            raise Revert(INVALID_OPTIMAL_USAGE)
        if slope1_ray > slope2_ray:
            raise Revert(SLOPE2_BELOW_SLOPE1)
        if base_rate_ray + slope1_ray + slope2_ray > MAX_RATE_RAY:
            raise Revert(INVALID_MAX_RATE)
        model = TwoSlopeRates(optimal_usage_ray, base_rate_ray, slope1_ray, slope2_ray)
        return self.set_rate_model(sender, asset, model)

    def set_rate_model(self, sender: int, asset: int, model: RateModel) -> ParameterSet:
        """Another rate model; accrues at the old rates first, then renews them."""
        self._accrue_then(asset, "rate_model", model)
        return ParameterSet(asset, "rate_model", model)

    def _accrue_then(self, asset: int, field: str, value: Any) -> None:
        """Bring a reserve to now under its old parameters, change one, and renew its rates."""
        current = self._current(asset, self.clock.timestamp)
        self.journal.put(vars(self.reserves[asset]), field, value)
        liquidity_index, borrow_index, _, _, now, supply, debt, cash, due, deficit = current
        self._store(asset, liquidity_index, borrow_index, now, supply, debt, cash, due, deficit)

    # ------------------------------------------------------------------ collateral
    def set_collateral_params(
        self, sender: int, asset: int, ltv_bps: int, liquidation_threshold_bps: int, liquidation_bonus_bps: int
    ) -> ParameterSet:
        """What the asset counts as collateral. While it is frozen the LTV is kept for later and stays 0.

        Reverts InvalidReserveParams (see `collateral_problems`), ReserveLiquidityNotZero (threshold 0 with suppliers).
        """
        if collateral_problems(ltv_bps, liquidation_threshold_bps, liquidation_bonus_bps):
            raise Revert(INVALID_RESERVE_PARAMS)
        totals = self._totals[asset]
        if not liquidation_threshold_bps and (totals[SCALED_SUPPLY] or totals[ACCRUED_TO_TREASURY]):
            raise Revert(RESERVE_LIQUIDITY_NOT_ZERO)
        reserve = self.reserves[asset]
        put = self.journal.put
        if reserve.frozen:
            put(vars(reserve), "pending_ltv_bps", ltv_bps)
        else:
            put(vars(reserve), "pending_ltv_bps", 0)
            put(vars(reserve), "ltv_bps", ltv_bps)
        put(vars(reserve), "liquidation_threshold_bps", liquidation_threshold_bps)
        put(vars(reserve), "liquidation_bonus_bps", liquidation_bonus_bps)
        self._renew_risk(asset)
        return ParameterSet(asset, "collateral_params", (ltv_bps, liquidation_threshold_bps, liquidation_bonus_bps))

    def set_frozen(self, sender: int, asset: int, frozen: bool) -> ParameterSet:
        """Stop supplying and borrowing. Freezing sets the LTV to 0, in e-modes too; unfreezing does not bring it back.

        Reverts InvalidFreezeState where it is so already.
        """
        reserve = self.reserves[asset]
        if frozen == reserve.frozen:
            raise Revert(INVALID_FREEZE_STATE)
        self._write(asset, "frozen", frozen)
        if frozen:
            self._put_ltv_aside(reserve)
            for emode in self.emodes.values():
                if emode.collateral >> asset & 1:
                    self.journal.put(vars(emode), "ltv_zero", emode.ltv_zero | 1 << asset)
            self._renew_risk(asset)
        return ParameterSet(asset, "frozen", frozen)

    def set_ltv_zero(self, sender: int, asset: int, ltv_zero: bool) -> ParameterSet:
        """Put the reserve's own LTV aside, or bring it back. Reverts ReserveFrozen, InvalidLtvzeroState (no change)."""
        reserve = self.reserves[asset]
        if ltv_zero:
            if not reserve.ltv_bps:
                raise Revert(INVALID_LTV_ZERO_STATE)
            self._put_ltv_aside(reserve)
        else:
            if reserve.frozen:
                raise Revert(RESERVE_FROZEN)
            if not reserve.pending_ltv_bps or reserve.ltv_bps:
                raise Revert(INVALID_LTV_ZERO_STATE)
            self.journal.put(vars(reserve), "ltv_bps", reserve.pending_ltv_bps)
            self.journal.put(vars(reserve), "pending_ltv_bps", 0)
        self._renew_risk(asset)
        return ParameterSet(asset, "ltv_zero", ltv_zero)

    def set_emode_ltv_zero(self, sender: int, category: int, asset: int, ltv_zero: bool) -> ParameterSet:
        """Let an e-mode's collateral count with an LTV of 0, or fully again.

        Reverts InconsistentEModeCategory, MustBeEmodeCollateral, ReserveFrozen (bringing back while frozen).
        """
        emode = self._emode(category)
        if not emode.collateral >> asset & 1:
            raise Revert(MUST_BE_EMODE_COLLATERAL)
        if not ltv_zero and self.reserves[asset].frozen:
            raise Revert(RESERVE_FROZEN)
        mask = emode.ltv_zero | 1 << asset if ltv_zero else emode.ltv_zero & ~(1 << asset)
        self.journal.put(vars(emode), "ltv_zero", mask)
        self._renew_risk(asset)
        return ParameterSet(asset, f"emode {category} ltv_zero", ltv_zero)

    def set_emode_params(
        self, sender: int, category: int, ltv_bps: int, liquidation_threshold_bps: int, liquidation_bonus_bps: int
    ) -> ParameterSet:
        """New numbers for an e-mode. Reverts InconsistentEModeCategory, InvalidEmodeCategoryParams."""
        emode = self._emode(category)
        problems = collateral_problems(ltv_bps, liquidation_threshold_bps, liquidation_bonus_bps)
        if problems or not ltv_bps or not liquidation_threshold_bps:
            raise Revert(INVALID_EMODE_PARAMS)
        self.journal.put(vars(emode), "ltv_bps", ltv_bps)
        self.journal.put(vars(emode), "liquidation_threshold_bps", liquidation_threshold_bps)
        self.journal.put(vars(emode), "liquidation_bonus_bps", liquidation_bonus_bps)
        for asset in range(len(self.reserves)):
            self._renew_risk(asset)
        values = (ltv_bps, liquidation_threshold_bps, liquidation_bonus_bps)
        return ParameterSet(-1, f"emode {category} collateral_params", values)

    # ------------------------------------------------------------------ writing
    def _write(self, asset: int, field: str, value: Any) -> ParameterSet:
        self.journal.put(vars(self.reserves[asset]), field, value)
        return ParameterSet(asset, field, value)

    def _put_ltv_aside(self, reserve: Reserve) -> None:
        if reserve.ltv_bps:
            self.journal.put(vars(reserve), "pending_ltv_bps", reserve.ltv_bps)
            self.journal.put(vars(reserve), "ltv_bps", 0)

    def _emode(self, category: int) -> EMode:
        emode = self.emodes.get(category)
        if emode is None:
            raise Revert(INCONSISTENT_EMODE)
        return emode
