"""Elastic targets: how much of a reserve somebody wants to supply or owe at the rates that his own move leaves behind.

    supply  S* = S0 exp( eta (r_s(S*) - r_out))        debt  B* = B0 exp(-eta (r_b(B*) - r_ref))

The rate is that of the reserve with the own part at its target, so a large lender does not run past the point where
the rate meets him. The left side rises in the target and the right side falls (supplying lowers the rate, borrowing
raises it), so there is one solution, between what he has and what the present rate alone would make him want; it is
found by false position (Illinois).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

RAY = 10**27

#: Steps of the search and the relative error at which it ends.
_STEPS = 60
_TOLERANCE = 1e-9

#: Largest exponent: e^50 times anything is more than there is.
_MOST_EXPONENT = 50.0


def rates_after(pool: Any, asset: int) -> Callable[[float, float], tuple[float, float]]:
    """A function of (change of cash, change of debt), in whole tokens, to (borrow, supply rate) per year after it."""
    reserve = pool.reserves[asset]
    totals = pool.totals_now(asset)
    debt = totals.scaled_debt * totals.borrow_index // RAY
    cash, deficit = totals.virtual_balance, totals.deficit
    rates, factor_bps, unit = reserve.rate_model.rates, reserve.reserve_factor_bps, reserve.unit

    def after(cash_change: float, debt_change: float) -> tuple[float, float]:
        owed = max(0, debt + int(debt_change * unit))
        borrow, supply = rates(owed, max(0, cash + int(cash_change * unit)), deficit, factor_bps)
        return borrow / RAY, supply / RAY

    return after


def supply_target(
    pool: Any, asset: int, own: float, anchor: float, elasticity: float, outside_rate: float, most: float
) -> float:
    """Whole tokens that a lender who has `own` wants to supply, at most `most`; `anchor` is S0."""
    after = rates_after(pool, asset)

    def wanted(size: float) -> float:
        return anchor * math.exp(min(_MOST_EXPONENT, elasticity * (after(size - own, 0.0)[1] - outside_rate)))

    return _solve(wanted, own, most)


def debt_target(
    pool: Any, asset: int, own: float, anchor: float, elasticity: float, reference_rate: float, most: float
) -> float:
    """Whole tokens that a borrower who owes `own` wants to owe, at most `most`; `anchor` is B0."""
    after = rates_after(pool, asset)

    def wanted(size: float) -> float:
        dearer = after(own - size, size - own)[0] - reference_rate
        return anchor * math.exp(min(_MOST_EXPONENT, -elasticity * dearer))

    return _solve(wanted, own, most)


def _solve(wanted: Callable[[float], float], own: float, most: float) -> float:
    """The size at which `wanted(size)`, which falls, equals the size itself; at most `most`."""
    first = min(wanted(own), most)
    low, high = min(own, first), max(own, first)
    above, below = wanted(low) - low, wanted(high) - high
    if below >= 0.0:
        return high
    if above <= 0.0:
        return low
    side = 0
    for _ in range(_STEPS):
        size = (low * below - high * above) / (below - above)
        gap = wanted(size) - size
        if abs(gap) <= _TOLERANCE * high or high - low <= _TOLERANCE * high:
            return size
        if gap > 0.0:
            low, above = size, gap
            if side > 0:
                below *= 0.5
            side = 1
        else:
            high, below = size, gap
            if side < 0:
                above *= 0.5
            side = -1
    return 0.5 * (low + high)
