"""The StableSwap invariant D and the balance that keeps it, by Newton's method on whole numbers.

D solves, with a = A·n (A as pools quote it: the paper's A times n^(n−1)), S the sum and P the product of n balances,

    a·S + D = a·D + D^(n+1) / (n^n·P)

(Balancer V2 `StableMath` 2.0.0; M. Egorov, StableSwap, 2019). Balances have 18 decimals, `amp_milli` is 1000·A.
Newton stops once two rounds differ by one unit at most. In lopsided pools the rounding may send it in a circle of a
few units instead: then it refuses after 255 rounds with BAL#322, as the contract does.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.chain.revert import Revert
from sim.markets.amm.stableswap.constants import (
    ADD_OVERFLOW,
    AMP_PRECISION,
    MAX_ROUNDS,
    MAX_UINT256,
    MUL_OVERFLOW,
    NOT_CONVERGED,
    SUB_OVERFLOW,
    ZERO_DIVISION,
)


def invariant(amp_milli: int, balances: Sequence[int], round_up: bool) -> int:
    """D of these balances, 18 decimals; every division of a round is rounded so that D ends up high or low.

    D ← (n·D² + a·S·p) / ((n+1)·D + (a−1)·p) from D = S, where p = n^n·P / D^(n−1); zero for an empty pool.
    Reverts BAL#322 (see above), BAL#003 or BAL#000 beyond 256 bits.
    """
    count = len(balances)
    total = sum(balances)
    if total > MAX_UINT256:
        raise Revert(ADD_OVERFLOW)
    if total == 0:
        return 0
    first, others = balances[0] * count, balances[1:]
    weight = amp_milli * count
    weighted_total, reduced_weight = weight * total, weight - AMP_PRECISION
    d = total
    for _ in range(MAX_ROUNDS):
        previous = d
        p = first
        square = count * d * d
        if round_up:
            for balance in others:
                p = -(-p * balance * count // d)
            product = weighted_total * p
            numerator = square - (-product // AMP_PRECISION)
            d = -(-numerator // ((count + 1) * d + reduced_weight * p // AMP_PRECISION))
        else:
            for balance in others:
                p = p * balance * count // d
            product = weighted_total * p
            numerator = square + product // AMP_PRECISION
            d = numerator // ((count + 1) * d - (-reduced_weight * p // AMP_PRECISION))
        if numerator > MAX_UINT256 or product > MAX_UINT256:
            raise Revert(MUL_OVERFLOW if max(square, product) > MAX_UINT256 else ADD_OVERFLOW)
        if -1 <= d - previous <= 1:
            return d
    raise Revert(NOT_CONVERGED)


def balance_rounding_up(amp_milli: int, balances: Sequence[int], d: int, index: int) -> int:
    """The balance of one token at which the invariant is `d`, the others as given; rounded up.

    It is the positive root of y² + (b − D)·y = c with b = S' + D/a, c = D^(n+1) / (a·n^n·P'), S' and P' the sum and
    product of the others: y ← (y² + c) / (2·y + b − D). The entry at `index` only scales c exactly and cancels out.
    Reverts BAL#322 if it does not settle, BAL#004 where a balance or `d` is zero, BAL#003 beyond 256 bits.
    """
    if d == 0:
        raise Revert(ZERO_DIVISION)
    count = len(balances)
    p = balances[0] * count
    for balance in balances[1:]:
        p = p * balance * count
        if p > MAX_UINT256:
            raise Revert(MUL_OVERFLOW)
        p //= d
    if p == 0:
        raise Revert(ZERO_DIVISION)
    own = balances[index]
    weight = amp_milli * count
    square = d * d
    c = -(-square // (weight * p)) * AMP_PRECISION * own
    if square > MAX_UINT256 or c > MAX_UINT256:
        raise Revert(MUL_OVERFLOW)
    linear = sum(balances) - own + d // weight * AMP_PRECISION
    y = -(-(square + c) // (d + linear))
    for _ in range(MAX_ROUNDS):
        previous = y
        numerator = y * y + c
        if numerator > MAX_UINT256:
            raise Revert(MUL_OVERFLOW if y * y > MAX_UINT256 else ADD_OVERFLOW)
        denominator = 2 * y + linear - d
        if denominator <= 0:
            raise Revert(SUB_OVERFLOW if denominator else ZERO_DIVISION)
        y = -(-numerator // denominator)
        if -1 <= y - previous <= 1:
            return y
    raise Revert(NOT_CONVERGED)
