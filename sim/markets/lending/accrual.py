"""Accrual: a reserve's totals brought forward to a later time. A pure function of numbers."""

from __future__ import annotations

from sim.markets.lending.constants import HALF_PERCENTAGE_FACTOR, HALF_RAY, PERCENTAGE_FACTOR, RAY
from sim.markets.lending.interest import compounded_interest_ray, linear_interest_ray
from sim.markets.lending.records import Totals


def accrue(totals: Totals, reserve_factor_bps: int, now: int) -> Totals:
    """Totals at `now` (seconds): both indexes grow at the rates that held since the last update, the treasury is due
    its share of the debt's growth.

        liquidity index · (1 + rate · t)                        (half up), where the liquidity rate is not zero
        borrow index · (1 + x + x² / 2 + x³ / 6), x = rate · t  (half up), where there is debt
        due to treasury += share · scaled debt · index growth   in scaled aToken units, each step rounded down,
                                                                the share half up

    Aave V3.6, `ReserveLogic.updateState`. The rates themselves do not change by passing time.
    """
    _, before, liquidity_rate, borrow_rate, _, supply, debt, cash, due, deficit = totals
    liquidity_index = liquidity_index_at(totals, now)
    borrow_index = before
    if debt:
        borrow_index = borrow_index_at(totals, now)
        if reserve_factor_bps:
            interest = debt * (borrow_index - before) // RAY
            share = (interest * reserve_factor_bps + HALF_PERCENTAGE_FACTOR) // PERCENTAGE_FACTOR
            due += share * RAY // liquidity_index
    return liquidity_index, borrow_index, liquidity_rate, borrow_rate, now, supply, debt, cash, due, deficit


def liquidity_index_at(totals: Totals, now: int) -> int:
    """Liquidity index (ray) grown linearly since the last update; it stands still where nothing is earned."""
    index, _, liquidity_rate, _, updated_at, _, _, _, _, _ = totals
    if not liquidity_rate:
        return index
    return (linear_interest_ray(liquidity_rate, now - updated_at) * index + HALF_RAY) // RAY


def borrow_index_at(totals: Totals, now: int) -> int:
    """Borrow index (ray) compounded since the last update, whether or not anything is owed."""
    _, index, _, borrow_rate, updated_at, _, _, _, _, _ = totals
    return (compounded_interest_ray(borrow_rate, now - updated_at) * index + HALF_RAY) // RAY
