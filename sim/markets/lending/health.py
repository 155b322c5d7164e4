"""An account's standing: collateral, debt, health factor, and the checks that depend on them."""

from __future__ import annotations

from sim.chain.revert import Revert
from sim.markets.lending.constants import (
    CEIL_RAY,
    MAX,
    PERCENTAGE_FACTOR,
    RAY,
    WAD,
)
from sim.markets.lending.percentage import percent_mul_floor
from sim.markets.lending.reasons import COLLATERAL_CANNOT_COVER, HEALTH_FACTOR_TOO_LOW, LTV_VALIDATION_FAILED
from sim.markets.lending.records import AccountData
from sim.markets.lending.state import PoolState


class AccountHealth(PoolState):
    """Sums over the reserves an account uses (Aave V3.6, `GenericLogic.calculateUserAccountData`)."""

    def _standing(self, account: int, now: int) -> tuple[int, int, int, int]:
        """(collateral, debt, Σ collateral · LTV, Σ collateral · threshold).

        Values in USD with 8 decimals, the weighted sums times bps. Collateral rounds down, debt rounds up.
        """
        collaterals, owed = self._used[self.flags[account]]
        totals = self._totals
        prices = self.prices
        units = self._units
        collateral = debt = weighted_ltv = weighted_threshold = 0
        if collaterals:
            risk = self._risk[self.emode_of[account]]
            supplies = self.scaled_supplies
            for asset in collaterals:
                state = totals[asset]
                index = state[0] if state[4] == now else self._income(asset, now)
                base = supplies[asset][account] * index // RAY * prices[asset] // units[asset]
                collateral += base
                ltv_bps, threshold_bps, _ = risk[asset]
                weighted_ltv += base * ltv_bps
                weighted_threshold += base * threshold_bps
        if owed:
            debts = self.scaled_debts
            for asset in owed:
                state = totals[asset]
                index = state[1] if state[4] == now else self._debt_index(asset, now)
                amount = (debts[asset][account] * index + CEIL_RAY) // RAY
                unit = units[asset]
                debt += (amount * prices[asset] + unit - 1) // unit
        return collateral, debt, weighted_ltv, weighted_threshold

    def account_data(self, account: int) -> AccountData:
        """Collateral, debt and health factor now.

        health factor = Σ collateral · threshold / debt, in wad, `MAX` without debt;
        borrowable = collateral · LTV - debt.
        """
        collateral, debt, weighted_ltv, weighted_threshold = self._standing(account, self.clock.timestamp)
        ltv_bps = weighted_ltv // collateral if collateral else 0
        threshold_bps = weighted_threshold // collateral if collateral else 0
        available = max(percent_mul_floor(collateral, ltv_bps) - debt, 0)
        factor = health_factor_of(weighted_threshold, debt)
        zero_ltv = self.flags[account] & self._zero_ltv[self.emode_of[account]] != 0
        return AccountData(collateral, debt, available, ltv_bps, threshold_bps, factor, zero_ltv)

    def health_factor(self, account: int) -> int:
        """Health factor now, in wad; `MAX` without debt. Below 1 wad the account may be liquidated."""
        _, debt, _, weighted_threshold = self._standing(account, self.clock.timestamp)
        return health_factor_of(weighted_threshold, debt)

    def _require_healthy(self, account: int, now: int) -> None:
        """Revert unless the health factor is at least 1."""
        _, debt, _, weighted_threshold = self._standing(account, now)
        if not is_healthy(weighted_threshold, debt):
            raise Revert(HEALTH_FACTOR_TOO_LOW)

    def _require_healthy_after_release(self, account: int, asset: int, now: int) -> None:
        """After collateral left: healthy, and zero-LTV collateral has to leave before any other."""
        self._require_healthy(account, now)
        category = self.emode_of[account]
        if self.flags[account] & self._zero_ltv[category] and self._risk[category][asset][0]:
            raise Revert(LTV_VALIDATION_FAILED)

    def _require_covered(self, account: int, now: int) -> None:
        """After a borrow: some LTV, healthy, and collateral >= debt / average LTV, rounded up."""
        collateral, debt, weighted_ltv, weighted_threshold = self._standing(account, now)
        ltv_bps = weighted_ltv // collateral if collateral else 0
        if not ltv_bps:
            raise Revert(LTV_VALIDATION_FAILED)
        if not is_healthy(weighted_threshold, debt):
            raise Revert(HEALTH_FACTOR_TOO_LOW)
        # Collateral below debt / LTV rounded up, multiplied out.
        if collateral * ltv_bps < debt * PERCENTAGE_FACTOR:
            raise Revert(COLLATERAL_CANNOT_COVER)


def health_factor_of(weighted_threshold: int, debt: int) -> int:
    """Health factor in wad from Σ collateral · threshold (USD 1e8 · bps) and debt (USD 1e8); `MAX` without debt.

    The quotient rounds half up before the basis points are divided off, rounding down.
    """
    if not debt:
        return MAX
    return (weighted_threshold * WAD + debt // 2) // debt // PERCENTAGE_FACTOR


def is_healthy(weighted_threshold: int, debt: int) -> bool:
    """Whether `health_factor_of` is at least 1 wad: the same comparison, multiplied out to save its two divisions."""
    return weighted_threshold * WAD + debt // 2 >= debt * _WAD_PERCENTAGE


_WAD_PERCENTAGE = WAD * PERCENTAGE_FACTOR
