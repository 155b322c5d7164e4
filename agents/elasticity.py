"""Elastic targets: how much of a reserve somebody wants to supply or owe at the rates that his own move leaves behind.

    supply  S* = S0 exp( eta (r_s(S*) - r_out))        debt  B* = B0 exp(-eta (r_b(B*) - r_ref))

The rate is that of the reserve with the own part at its target, so a large lender does not run past the point where
the rate meets him. The left side rises in the target and the right side falls (supplying lowers the rate, borrowing
raises it), so there is one solution; it is found by bisection.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

RAY = 10**27

#: Halvings of the bracket: enough for a relative error of 1e-9 in amounts.
_HALVINGS = 30


def rates_after(pool: Any, asset: int, cash_change: float, debt_change: float) -> tuple[float, float]:
    """(borrow rate, supply rate) per year of a reserve after a change of cash and debt, in whole tokens."""
    reserve = pool.reserves[asset]
    totals = pool.totals_now(asset)
    debt = totals.scaled_debt * totals.borrow_index // RAY + int(debt_change * reserve.unit)
    cash = totals.virtual_balance + int(cash_change * reserve.unit)
    borrow, supply = reserve.rate_model.rates(max(0, debt), max(0, cash), totals.deficit, reserve.reserve_factor_bps)
    return borrow / RAY, supply / RAY


def supply_target(
    pool: Any, asset: int, own: float, anchor: float, elasticity: float, outside_rate: float, most: float
) -> float:
    """Whole tokens that a lender who has `own` wants to supply, at most `most`; `anchor` is S0."""
    return _solve(
        lambda size: anchor * math.exp(elasticity * (rates_after(pool, asset, size - own, 0.0)[1] - outside_rate)), most
    )


def debt_target(
    pool: Any, asset: int, own: float, anchor: float, elasticity: float, reference_rate: float, most: float
) -> float:
    """Whole tokens that a borrower who owes `own` wants to owe, at most `most`; `anchor` is B0."""

    def wanted(size: float) -> float:
        borrow, _ = rates_after(pool, asset, own - size, size - own)
        return anchor * math.exp(-elasticity * (borrow - reference_rate))

    return _solve(wanted, most)


def _solve(wanted: Callable[[float], float], most: float) -> float:
    """The size at which `wanted(size)`, which falls, equals the size itself; `most` if that lies beyond."""
    if most <= 0.0:
        return 0.0
    if wanted(most) >= most:
        return most
    low, high = 0.0, most
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if wanted(middle) >= middle:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
