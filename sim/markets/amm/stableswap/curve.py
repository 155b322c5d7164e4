"""The StableSwap curve in floats: price, depth and the way to a price (nothing here decides what a swap gives).

Balances have one unit of worth (decimals and redemption rates taken out), a = A·n as in `invariant`. With
q = D^(n+1) / (n^n·P), token i is worth (a + q/x_i) / (a + q/x_j) of token j at the margin: the ratio of the partial
derivatives of the invariant. IEEE basic operations, math.sqrt, math.exp and math.log only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

_MAX_ROUNDS = 128
#: Difference of log prices at which the way to a price ends; rounding alone makes up to 1e-12 in lopsided pools.
_SETTLED = 1e-12
#: Longest step of ln(balance out) in one round.
_LONGEST = 4.0


class Step(NamedTuple):
    """A trade along the curve: what comes in (fee included), and both balances before the fee is added to them."""

    amount_in: float
    balance_in: float
    balance_out: float


def invariant(a: float, balances: Sequence[float]) -> float:
    """D, by Newton from the sum of the balances downwards; all balances positive."""
    count = len(balances)
    total = math.fsum(balances)
    d = total
    for _ in range(_MAX_ROUNDS):
        q = q_of(d, balances)
        lower = (a * total + count * q) * d / ((a - 1.0) * d + (count + 1) * q)
        if lower >= d:
            break
        d = lower
    return d


def q_of(d: float, balances: Sequence[float]) -> float:
    """D^(n+1) / (n^n·P)."""
    count = len(balances)
    q = d
    for balance in balances:
        q *= d / (count * balance)
    return q


def relative_price(a: float, balances: Sequence[float], i: int, j: int, d: float) -> float:
    """Worth of token i in token j at the margin, before fee."""
    q = q_of(d, balances)
    return (a + q / balances[i]) / (a + q / balances[j])


def balance_at(a: float, balances: Sequence[float], index: int, d: float) -> float:
    """The balance of one token at invariant `d`, the others as given: the positive root of y² + b·y = c.

    b = S' + D/a − D, c = D^(n+1) / (a·n^n·P'); the form of the root is the one without cancellation.
    """
    count = len(balances)
    c = d * d / (a * count)
    b = d / a - d
    for k, balance in enumerate(balances):
        if k != index:
            c *= d / (count * balance)
            b += balance
    root = math.sqrt(b * b + 4.0 * c)
    return 2.0 * c / (b + root) if b > 0.0 else 0.5 * (root - b)


def step_to_price(
    a: float, balances: Sequence[float], index_in: int, index_out: int, goal: float, fee_ratio: float = 0.0
) -> Step:
    """The largest trade that leaves token in worth at least `goal` of token out, the fee staying in the pool.

    `goal` lies below the present relative price. Newton on ln(price) over z = ln(balance out / present), kept inside a
    bracket. Without fee the trade moves along one curve; with it the price is that of the balances afterwards, of a
    larger D.
    """
    work = list(balances)
    d = invariant(a, work)
    x0, y0 = work[index_in], work[index_out]
    kept, log_goal = 1.0 - fee_ratio, math.log(goal)
    step = Step(0.0, x0, y0)
    gap = math.log(relative_price(a, work, index_in, index_out, d)) - log_goal
    low, z, high = -math.inf, 0.0, 0.0
    for _ in range(_MAX_ROUNDS):
        if gap > _SETTLED:
            high = z
        elif gap < -_SETTLED and z < 0.0:
            low = z
        else:
            break
        z -= max(min(gap / _log_slope(a, work, index_in, index_out, d), _LONGEST), -_LONGEST)
        if not low < z < high:
            z = 0.5 * (low + high)
        y = work[index_out] = y0 * math.exp(z)
        x = work[index_in] = balance_at(a, work, index_in, d)
        step = Step(max(x - x0, 0.0) / kept, x, y)
        after = d
        if fee_ratio:
            work[index_in] = x0 + step.amount_in
            after = invariant(a, work)
        gap = math.log(relative_price(a, work, index_in, index_out, after)) - log_goal
    return step


def _log_slope(a: float, balances: Sequence[float], index_in: int, index_out: int, d: float) -> float:
    """d ln(price) / d ln(balance out) along the curve, positive everywhere.

    With X = a·x + q, Y = a·y + q and m = Y/X it is 2·q·(1 − m + m²) / Y; 2 for a constant product (a = 0).
    """
    q = q_of(d, balances)
    inward, outward = a * balances[index_in] + q, a * balances[index_out] + q
    m = outward / inward
    return 2.0 * q * (1.0 - m + m * m) / outward
