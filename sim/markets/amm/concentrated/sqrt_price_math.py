"""Amounts between two sqrt prices, and the sqrt price after an amount (Uniswap V3 core 1.0.1, `SqrtPriceMath`).

With liquidity L and s = sqrt price (Q96): token0 = L·2^96·(1/s_a − 1/s_b), token1 = L·(s_b − s_a)/2^96.
The direction of rounding is part of each name. Nested roundings in one direction equal one rounding by the product,
so each amount takes one division.
"""

from __future__ import annotations

from sim.chain.revert import Revert
from sim.markets.amm.concentrated.constants import MASK_160, MASK_256
from sim.markets.amm.reasons import EMPTY


def amount0_rounding_down(sqrt_a_x96: int, sqrt_b_x96: int, liquidity: int) -> int:
    """Token0 (smallest units) that `liquidity` holds between two sqrt prices, rounded down; order does not matter."""
    if sqrt_a_x96 > sqrt_b_x96:
        sqrt_a_x96, sqrt_b_x96 = sqrt_b_x96, sqrt_a_x96
    if sqrt_a_x96 <= 0:
        raise Revert(EMPTY)
    return (liquidity << 96) * (sqrt_b_x96 - sqrt_a_x96) // (sqrt_a_x96 * sqrt_b_x96)


def amount0_rounding_up(sqrt_a_x96: int, sqrt_b_x96: int, liquidity: int) -> int:
    """Token0 (smallest units) that `liquidity` holds between two sqrt prices, rounded up."""
    if sqrt_a_x96 > sqrt_b_x96:
        sqrt_a_x96, sqrt_b_x96 = sqrt_b_x96, sqrt_a_x96
    if sqrt_a_x96 <= 0:
        raise Revert(EMPTY)
    product = sqrt_a_x96 * sqrt_b_x96
    return ((liquidity << 96) * (sqrt_b_x96 - sqrt_a_x96) + product - 1) // product


def amount1_rounding_down(sqrt_a_x96: int, sqrt_b_x96: int, liquidity: int) -> int:
    """Token1 (smallest units) that `liquidity` holds between two sqrt prices, rounded down."""
    return liquidity * abs(sqrt_b_x96 - sqrt_a_x96) >> 96


def amount1_rounding_up(sqrt_a_x96: int, sqrt_b_x96: int, liquidity: int) -> int:
    """Token1 (smallest units) that `liquidity` holds between two sqrt prices, rounded up."""
    return -(-liquidity * abs(sqrt_b_x96 - sqrt_a_x96) >> 96)


def next_sqrt_price_from_input(sqrt_price_x96: int, liquidity: int, amount_in: int, zero_for_one: bool) -> int:
    """Sqrt price after `amount_in` (fee already off) enters, rounded so that the price moves no further than paid.

    Reverts without text at zero price or liquidity, or when the result does not fit 160 bits.
    """
    if sqrt_price_x96 <= 0 or liquidity <= 0:
        raise Revert(EMPTY)
    if zero_for_one:
        return _after_adding_token0(sqrt_price_x96, liquidity, amount_in)
    result = sqrt_price_x96 + (amount_in << 96) // liquidity
    if result > MASK_160:
        raise Revert(EMPTY)
    return result


def next_sqrt_price_from_output(sqrt_price_x96: int, liquidity: int, amount_out: int, zero_for_one: bool) -> int:
    """Sqrt price after `amount_out` leaves, rounded so that the price moves at least as far as was taken.

    Reverts without text at zero price or liquidity, or when there is not that much to take.
    """
    if sqrt_price_x96 <= 0 or liquidity <= 0:
        raise Revert(EMPTY)
    if zero_for_one:
        quotient = ((amount_out << 96) + liquidity - 1) // liquidity
        if quotient >= sqrt_price_x96:
            raise Revert(EMPTY)
        return sqrt_price_x96 - quotient
    return _after_removing_token0(sqrt_price_x96, liquidity, amount_out)


def _after_adding_token0(sqrt_price_x96: int, liquidity: int, amount: int) -> int:
    """ceil(L·s / (L + amount·s)); where that overflows 256 bits, the coarser ceil(L / (floor(L/s) + amount))."""
    if amount == 0:
        return sqrt_price_x96
    scaled = liquidity << 96
    product = amount * sqrt_price_x96
    denominator = scaled + product
    # The sum wraps only if it exceeds 256 bits, the product if it alone does: either way the sum is above the mask.
    if denominator <= MASK_256:
        return (scaled * sqrt_price_x96 + denominator - 1) // denominator
    coarse = scaled // sqrt_price_x96 + amount
    return (scaled + coarse - 1) // coarse


def _after_removing_token0(sqrt_price_x96: int, liquidity: int, amount: int) -> int:
    """ceil(L·s / (L − amount·s)); reverts when the amount is all there is, or more."""
    if amount == 0:
        return sqrt_price_x96
    scaled = liquidity << 96
    product = amount * sqrt_price_x96
    if product >= scaled:
        raise Revert(EMPTY)
    denominator = scaled - product
    result = (scaled * sqrt_price_x96 + denominator - 1) // denominator
    if result > MASK_160:
        raise Revert(EMPTY)
    return result
