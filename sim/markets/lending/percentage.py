"""Percentages in basis points (1/10 000), the direction of rounding in the name (Aave V3.6 `PercentageMath`).

Amounts are non-negative integers of any unit. A division by zero per cent, and whatever the contract cannot hold in
256 bits, reverts without a reason.
"""

from __future__ import annotations

from sim.chain.revert import Revert
from sim.markets.lending.constants import HALF_PERCENTAGE_FACTOR, MAX, PERCENTAGE_FACTOR
from sim.markets.lending.reasons import EMPTY


def percent_mul_half_up(amount: int, bps: int) -> int:
    """amount · bps / 10 000, rounded to the nearest, halves up."""
    product = amount * bps + HALF_PERCENTAGE_FACTOR
    if product > MAX:
        raise Revert(EMPTY)
    return product // PERCENTAGE_FACTOR


def percent_mul_floor(amount: int, bps: int) -> int:
    """amount · bps / 10 000, rounded down."""
    if amount * bps > MAX:
        raise Revert(EMPTY)
    return amount * bps // PERCENTAGE_FACTOR


def percent_mul_ceil(amount: int, bps: int) -> int:
    """amount · bps / 10 000, rounded up."""
    if amount * bps > MAX:
        raise Revert(EMPTY)
    return -(-amount * bps // PERCENTAGE_FACTOR)


def percent_div_half_up(amount: int, bps: int) -> int:
    """amount · 10 000 / bps, rounded to the nearest, halves up."""
    if bps == 0 or amount * PERCENTAGE_FACTOR + bps // 2 > MAX:
        raise Revert(EMPTY)
    return (amount * PERCENTAGE_FACTOR + bps // 2) // bps


def percent_div_ceil(amount: int, bps: int) -> int:
    """amount · 10 000 / bps, rounded up."""
    if bps == 0 or amount * PERCENTAGE_FACTOR > MAX:
        raise Revert(EMPTY)
    return -(-amount * PERCENTAGE_FACTOR // bps)
