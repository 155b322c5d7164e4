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
    liquidity_index, borrow_index, liquidity_rate, borrow_rate, updated_at, supply, debt, cash, due, deficit = totals
    seconds = now - updated_at
    if liquidity_rate:
        factor = linear_interest_ray(liquidity_rate, seconds)
        liquidity_index = (factor * liquidity_index + HALF_RAY) // RAY
    if debt:
        before = borrow_index
        borrow_index = (compounded_interest_ray(borrow_rate, seconds) * before + HALF_RAY) // RAY
        if reserve_factor_bps:
            interest = debt * (borrow_index - before) // RAY
            share = (interest * reserve_factor_bps + HALF_PERCENTAGE_FACTOR) // PERCENTAGE_FACTOR
            due += share * RAY // liquidity_index
    return liquidity_index, borrow_index, liquidity_rate, borrow_rate, now, supply, debt, cash, due, deficit
