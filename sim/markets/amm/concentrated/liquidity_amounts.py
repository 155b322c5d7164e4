"""Liquidity that two amounts buy in a range, and back (Uniswap V3 periphery 1.4.4, `LiquidityAmounts`).

token0 above the price: L = amount0 · s_a·s_b / (s_b − s_a); token1 below it: L = amount1 / (s_b − s_a).
All results are rounded down; a result beyond 128 bits, or an empty range, reverts without text.
"""

from __future__ import annotations

from sim.chain.revert import Revert
from sim.markets.amm.concentrated.constants import MASK_128
from sim.markets.amm.reasons import EMPTY


def liquidity_for_amount0(sqrt_a_x96: int, sqrt_b_x96: int, amount0: int) -> int:
    """Liquidity bought by `amount0` of token0 alone between two sqrt prices above the current one."""
    if sqrt_a_x96 > sqrt_b_x96:
        sqrt_a_x96, sqrt_b_x96 = sqrt_b_x96, sqrt_a_x96
    intermediate = sqrt_a_x96 * sqrt_b_x96 >> 96
    return _liquidity(amount0 * intermediate, sqrt_b_x96 - sqrt_a_x96)


def liquidity_for_amount1(sqrt_a_x96: int, sqrt_b_x96: int, amount1: int) -> int:
    """Liquidity bought by `amount1` of token1 alone between two sqrt prices below the current one."""
    return _liquidity(amount1 << 96, abs(sqrt_b_x96 - sqrt_a_x96))


def liquidity_for_amounts(sqrt_price_x96: int, sqrt_a_x96: int, sqrt_b_x96: int, amount0: int, amount1: int) -> int:
    """The most liquidity that both amounts together can buy in a range at the current sqrt price."""
    if sqrt_a_x96 > sqrt_b_x96:
        sqrt_a_x96, sqrt_b_x96 = sqrt_b_x96, sqrt_a_x96
    if sqrt_price_x96 <= sqrt_a_x96:
        return liquidity_for_amount0(sqrt_a_x96, sqrt_b_x96, amount0)
    if sqrt_price_x96 >= sqrt_b_x96:
        return liquidity_for_amount1(sqrt_a_x96, sqrt_b_x96, amount1)
    return min(
        liquidity_for_amount0(sqrt_price_x96, sqrt_b_x96, amount0),
        liquidity_for_amount1(sqrt_a_x96, sqrt_price_x96, amount1),
    )


def amounts_for_liquidity(sqrt_price_x96: int, sqrt_a_x96: int, sqrt_b_x96: int, liquidity: int) -> tuple[int, int]:
    """(amount0, amount1) that `liquidity` in a range is worth at the current sqrt price, rounded down."""
    if sqrt_a_x96 > sqrt_b_x96:
        sqrt_a_x96, sqrt_b_x96 = sqrt_b_x96, sqrt_a_x96
    inside = min(max(sqrt_price_x96, sqrt_a_x96), sqrt_b_x96)
    amount0 = (liquidity << 96) * (sqrt_b_x96 - inside) // sqrt_b_x96 // inside
    amount1 = liquidity * (inside - sqrt_a_x96) >> 96
    return amount0, amount1


def _liquidity(numerator: int, denominator: int) -> int:
    if denominator == 0:
        raise Revert(EMPTY)
    liquidity = numerator // denominator
    if liquidity > MASK_128:
        raise Revert(EMPTY)
    return liquidity
