"""One step of a swap inside one range of constant liquidity (Uniswap V3 core 1.0.1, `SwapMath`).

Sqrt prices s are in Q96, L is liquidity, f = fee_pips / 1e6, amounts are in smallest units and fees in the input
token. The target must be a valid sqrt price, above zero; it fixes the direction (down: token0 comes in).
"""

from __future__ import annotations

from sim.markets.amm.concentrated.constants import MASK_256, PIPS
from sim.markets.amm.concentrated.sqrt_price_math import (
    amount0_rounding_down,
    amount0_rounding_up,
    amount1_rounding_down,
    amount1_rounding_up,
    next_sqrt_price_from_input,
    next_sqrt_price_from_output,
)


def step_exact_in(
    sqrt_price_x96: int, sqrt_target_x96: int, liquidity: int, amount_remaining: int, fee_pips: int
) -> tuple[int, int, int, int]:
    """Swap up to `amount_remaining` of input towards the target: (next sqrt price, amount in, amount out, fee).

    Input is rounded up, output down. If the target is reached, fee = ceil(in · f / (1 − f)); otherwise the whole
    remainder is taken and fee = remaining − in.
    """
    kept = PIPS - fee_pips
    if not liquidity:
        return sqrt_target_x96, 0, 0, 0
    usable = amount_remaining * kept // PIPS
    if sqrt_price_x96 >= sqrt_target_x96:
        sqrt_next = _after_token0(sqrt_price_x96, sqrt_target_x96, liquidity, usable)
        product = sqrt_next * sqrt_price_x96
        move = sqrt_price_x96 - sqrt_next
        amount_in = ((liquidity << 96) * move + product - 1) // product
        amount_out = liquidity * move >> 96
    else:
        # Rounded down, the price after all of `usable` is at or beyond the target exactly when it pays for the way.
        sqrt_next = sqrt_price_x96 + (usable << 96) // liquidity
        if sqrt_next > sqrt_target_x96:
            sqrt_next = sqrt_target_x96
        move = sqrt_next - sqrt_price_x96
        amount_in = -(-liquidity * move >> 96)
        amount_out = (liquidity << 96) * move // (sqrt_next * sqrt_price_x96)
    if sqrt_next != sqrt_target_x96:
        return sqrt_next, amount_in, amount_out, amount_remaining - amount_in
    return sqrt_next, amount_in, amount_out, (amount_in * fee_pips + kept - 1) // kept


def step_exact_out(
    sqrt_price_x96: int, sqrt_target_x96: int, liquidity: int, amount_remaining: int, fee_pips: int
) -> tuple[int, int, int, int]:
    """Swap for up to `amount_remaining` of output towards the target: (next sqrt price, amount in, amount out, fee).

    Output never exceeds what was asked; fee = ceil(in · f / (1 − f)).
    """
    if sqrt_price_x96 >= sqrt_target_x96:
        sqrt_next = sqrt_target_x96
        amount_out = amount1_rounding_down(sqrt_target_x96, sqrt_price_x96, liquidity)
        if amount_remaining < amount_out:
            sqrt_next = next_sqrt_price_from_output(sqrt_price_x96, liquidity, amount_remaining, True)
            amount_out = amount1_rounding_down(sqrt_next, sqrt_price_x96, liquidity)
        amount_in = amount0_rounding_up(sqrt_next, sqrt_price_x96, liquidity)
    else:
        sqrt_next = sqrt_target_x96
        amount_out = amount0_rounding_down(sqrt_price_x96, sqrt_target_x96, liquidity)
        if amount_remaining < amount_out:
            sqrt_next = next_sqrt_price_from_output(sqrt_price_x96, liquidity, amount_remaining, False)
            amount_out = amount0_rounding_down(sqrt_price_x96, sqrt_next, liquidity)
        amount_in = amount1_rounding_up(sqrt_price_x96, sqrt_next, liquidity)
    if amount_out > amount_remaining:
        amount_out = amount_remaining
    kept = PIPS - fee_pips
    return sqrt_next, amount_in, amount_out, (amount_in * fee_pips + kept - 1) // kept


def _after_token0(sqrt_price_x96: int, sqrt_target_x96: int, liquidity: int, usable: int) -> int:
    """Sqrt price after `usable` of token0, but not below the target.

    ceil(L·s / (L + usable·s)) is at or below the target exactly when `usable` pays for the way there, so one division
    answers both. Where 256 bits overflow, the contract's coarser formula is asked instead.
    """
    scaled = liquidity << 96
    denominator = scaled + usable * sqrt_price_x96
    if denominator <= MASK_256:
        sqrt_next = (scaled * sqrt_price_x96 + denominator - 1) // denominator
        return sqrt_next if sqrt_next > sqrt_target_x96 else sqrt_target_x96
    if usable >= amount0_rounding_up(sqrt_target_x96, sqrt_price_x96, liquidity):
        return sqrt_target_x96
    return next_sqrt_price_from_input(sqrt_price_x96, liquidity, usable, True)
