"""What a swap gives and what it costs, without fee (Balancer V2 `StableMath` 2.0.0).

Balances and amounts have 18 decimals. The invariant is rounded up, the balance that keeps it too, and one unit more
goes to the pool. `invariant_up` spares the computation to a caller who knows the invariant rounded up already.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.chain.revert import Revert
from sim.markets.amm.stableswap.constants import SUB_OVERFLOW
from sim.markets.amm.stableswap.invariant import balance_rounding_up, invariant


def out_given_in(
    amp_milli: int,
    balances: Sequence[int],
    index_in: int,
    index_out: int,
    amount_in: int,
    invariant_up: int | None = None,
) -> int:
    """Output for an exact input: the balance the pool need not keep, less one unit.

    Reverts BAL#001 where that is negative (an input too small to buy a unit), else as the invariant does.
    """
    d = invariant(amp_milli, balances, True) if invariant_up is None else invariant_up
    after = list(balances)
    after[index_in] += amount_in
    amount_out = balances[index_out] - balance_rounding_up(amp_milli, after, d, index_out) - 1
    if amount_out < 0:
        raise Revert(SUB_OVERFLOW)
    return amount_out


def in_given_out(
    amp_milli: int,
    balances: Sequence[int],
    index_in: int,
    index_out: int,
    amount_out: int,
    invariant_up: int | None = None,
) -> int:
    """Input for an exact output: what the pool then lacks, and one unit.

    Reverts BAL#001 for more than the pool holds, BAL#004 for all of it, else as the invariant does.
    """
    d = invariant(amp_milli, balances, True) if invariant_up is None else invariant_up
    after = list(balances)
    after[index_out] -= amount_out
    if after[index_out] < 0:
        raise Revert(SUB_OVERFLOW)
    amount_in = balance_rounding_up(amp_milli, after, d, index_in) - balances[index_in]
    if amount_in < 0:
        raise Revert(SUB_OVERFLOW)
    return amount_in + 1
