"""Accrual: a reserve's totals brought forward to a later time. A pure function of numbers."""

from __future__ import annotations

from sim.markets.lending.constants import HALF_PERCENTAGE_FACTOR, PERCENTAGE_FACTOR, RAY
from sim.markets.lending.records import Totals


def accrue(totals: Totals, liquidity_index: int, borrow_index: int, reserve_factor_bps: int, now: int) -> Totals:
    """Totals at `now` (seconds), given both indexes grown to it (ray): the treasury is due its share of the interest.

        due to treasury += share · scaled debt · index growth   in scaled aToken units, each step rounded down,
                                                                the share half up

    The borrow index of a reserve that nobody owes anything stays where it was. Aave V3.6, `ReserveLogic.updateState`.
    The rates themselves do not change by passing time.
    """
    _, before, liquidity_rate, borrow_rate, _, supply, debt, cash, due, deficit = totals
    if not debt:
        borrow_index = before
    elif reserve_factor_bps:
        interest = debt * (borrow_index - before) // RAY
        share = (interest * reserve_factor_bps + HALF_PERCENTAGE_FACTOR) // PERCENTAGE_FACTOR
        due += share * RAY // liquidity_index
    return liquidity_index, borrow_index, liquidity_rate, borrow_rate, now, supply, debt, cash, due, deficit
