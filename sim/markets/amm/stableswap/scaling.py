"""Token amounts in 18 decimals times a redemption rate, and back (Balancer V2 `BasePool`, `MetaStablePool` 2.0.0).

The factor of a token is 10^(18 − decimals) · rate, with 18 decimals of its own: scaled = amount · factor / 10^18.
What the pool holds or receives is scaled down, what it must pay is scaled up, so that rounding never feeds a swap.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.markets.amm.stableswap.constants import SCALED_DECIMALS
from sim.markets.amm.stableswap.fixed_point import ONE, div_down, div_up, mul_down, mul_up

#: Scaled amount of what comes in or is there, rounded down: arguments amount, factor.
scale_down = mul_down
#: Scaled amount of what is asked for, rounded up. The contract rounds it down, the flaw drained in November 2025.
scale_up = mul_up
#: Tokens to pay out for a scaled amount, rounded down: arguments scaled amount, factor.
unscale_down = div_down
#: Tokens to collect for a scaled amount, rounded up.
unscale_up = div_up


def decimal_factor(decimals: int) -> int:
    """10^(18 − decimals); `ValueError` for tokens of more than 18 decimals."""
    if not 0 <= decimals <= SCALED_DECIMALS:
        raise ValueError(f"{decimals} decimals: a stable pool takes tokens of 0 to {SCALED_DECIMALS}")
    return 10 ** (SCALED_DECIMALS - decimals)


def scaled_balances(balances: Sequence[int], factors: Sequence[int]) -> list[int]:
    """All balances scaled, rounded down."""
    return [balance * factor // ONE for balance, factor in zip(balances, factors, strict=True)]
