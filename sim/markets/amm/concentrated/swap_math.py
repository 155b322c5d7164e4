"""One step of a swap inside one range of constant liquidity (Uniswap V3 core 1.0.1, `SwapMath`)."""

from __future__ import annotations

from sim.markets.amm.concentrated.constants import PIPS
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
    remainder is taken and fee = remaining − in. f = fee_pips / 1e6; amounts in smallest units, sqrt prices in Q96.
    """
    usable = amount_remaining * (PIPS - fee_pips) // PIPS
    if sqrt_price_x96 >= sqrt_target_x96:
        amount_in = amount0_rounding_up(sqrt_target_x96, sqrt_price_x96, liquidity)
        if usable >= amount_in:
            amount_out = amount1_rounding_down(sqrt_target_x96, sqrt_price_x96, liquidity)
            return sqrt_target_x96, amount_in, amount_out, -(-amount_in * fee_pips // (PIPS - fee_pips))
        sqrt_next = next_sqrt_price_from_input(sqrt_price_x96, liquidity, usable, True)
        if sqrt_next != sqrt_target_x96:
            amount_in = amount0_rounding_up(sqrt_next, sqrt_price_x96, liquidity)
        amount_out = amount1_rounding_down(sqrt_next, sqrt_price_x96, liquidity)
    else:
        amount_in = amount1_rounding_up(sqrt_price_x96, sqrt_target_x96, liquidity)
        if usable >= amount_in:
            amount_out = amount0_rounding_down(sqrt_price_x96, sqrt_target_x96, liquidity)
            return sqrt_target_x96, amount_in, amount_out, -(-amount_in * fee_pips // (PIPS - fee_pips))
        sqrt_next = next_sqrt_price_from_input(sqrt_price_x96, liquidity, usable, False)
        if sqrt_next != sqrt_target_x96:
            amount_in = amount1_rounding_up(sqrt_price_x96, sqrt_next, liquidity)
        amount_out = amount0_rounding_down(sqrt_price_x96, sqrt_next, liquidity)
    if sqrt_next != sqrt_target_x96:
        return sqrt_next, amount_in, amount_out, amount_remaining - amount_in
    return sqrt_next, amount_in, amount_out, -(-amount_in * fee_pips // (PIPS - fee_pips))


def step_exact_out(
    sqrt_price_x96: int, sqrt_target_x96: int, liquidity: int, amount_remaining: int, fee_pips: int
) -> tuple[int, int, int, int]:
    """Swap for up to `amount_remaining` of output towards the target: (next sqrt price, amount in, amount out, fee).

    Output never exceeds what was asked; fee = ceil(in · f / (1 − f)), f = fee_pips / 1e6.
    """
    if sqrt_price_x96 >= sqrt_target_x96:
        amount_out = amount1_rounding_down(sqrt_target_x96, sqrt_price_x96, liquidity)
        if amount_remaining >= amount_out:
            sqrt_next = sqrt_target_x96
        else:
            sqrt_next = next_sqrt_price_from_output(sqrt_price_x96, liquidity, amount_remaining, True)
            if sqrt_next != sqrt_target_x96:
                amount_out = amount1_rounding_down(sqrt_next, sqrt_price_x96, liquidity)
        amount_in = amount0_rounding_up(sqrt_next, sqrt_price_x96, liquidity)
    else:
        amount_out = amount0_rounding_down(sqrt_price_x96, sqrt_target_x96, liquidity)
        if amount_remaining >= amount_out:
            sqrt_next = sqrt_target_x96
        else:
            sqrt_next = next_sqrt_price_from_output(sqrt_price_x96, liquidity, amount_remaining, False)
            if sqrt_next != sqrt_target_x96:
                amount_out = amount0_rounding_down(sqrt_price_x96, sqrt_next, liquidity)
        amount_in = amount1_rounding_up(sqrt_price_x96, sqrt_next, liquidity)
    if amount_out > amount_remaining:
        amount_out = amount_remaining
    return sqrt_next, amount_in, amount_out, -(-amount_in * fee_pips // (PIPS - fee_pips))
