"""18-decimal fixed point with the rounding direction in the name (Balancer V2 `FixedPoint`, solidity-utils 2.0.0).

One is 10^18. Products beyond 256 bits revert BAL#003 (BAL#005 for the inflated numerator of a division), division by
zero BAL#004.
"""

from __future__ import annotations

from typing import Final

from sim.chain.revert import Revert
from sim.markets.amm.stableswap.constants import DIVISION_INTERNAL, MAX_UINT256, MUL_OVERFLOW, ZERO_DIVISION

ONE: Final = 10**18


def mul_down(a: int, b: int) -> int:
    """floor(a · b / 10^18)."""
    product = a * b
    if product > MAX_UINT256:
        raise Revert(MUL_OVERFLOW)
    return product // ONE


def mul_up(a: int, b: int) -> int:
    """ceil(a · b / 10^18)."""
    product = a * b
    if product > MAX_UINT256:
        raise Revert(MUL_OVERFLOW)
    return -(-product // ONE)


def div_down(a: int, b: int) -> int:
    """floor(a · 10^18 / b)."""
    return _inflated(a, b) // b


def div_up(a: int, b: int) -> int:
    """ceil(a · 10^18 / b)."""
    return -(-_inflated(a, b) // b)


def complement(a: int) -> int:
    """10^18 − a, zero where a is larger."""
    return max(ONE - a, 0)


def _inflated(a: int, b: int) -> int:
    if b == 0:
        raise Revert(ZERO_DIVISION)
    inflated = a * ONE
    if inflated > MAX_UINT256:
        raise Revert(DIVISION_INTERNAL)
    return inflated
