"""The way of a swap through the ranges, computed without writing anything (Uniswap V3 core 1.0.1, `swap`).

The pool writes what comes out; a quote throws it away. So a quote equals the following swap to the unit.
"""

from __future__ import annotations

from typing import NamedTuple

from sim.markets.amm.concentrated.constants import MASK_256, MAX_TICK, MIN_TICK
from sim.markets.amm.concentrated.records import PoolState, TickInfo
from sim.markets.amm.concentrated.swap_math import step_exact_in, step_exact_out
from sim.markets.amm.concentrated.tick_bitmap import next_initialized_tick, past_empty_words
from sim.markets.amm.concentrated.tick_math import sqrt_ratio_at_tick, tick_at_sqrt_ratio


class SwapPath(NamedTuple):
    """Where a swap ends and what it moves; amounts in smallest units, fees in the input token.

    `fee_amount` includes `protocol_fee`. `crossed` lists (tick, input token's fee growth at that moment).
    """

    amount_in: int
    amount_out: int
    sqrt_price_x96: int
    tick: int
    liquidity: int
    fee_growth_x128: int
    fee_amount: int
    protocol_fee: int
    crossed: list[tuple[int, int]]


def trace_swap(
    state: PoolState,
    ticks: dict[int, TickInfo],
    words: dict[int, int],
    tick_spacing: int,
    fee_pips: int,
    zero_for_one: bool,
    exact_in: bool,
    amount: int,
    sqrt_limit_x96: int,
) -> SwapPath:
    """Follow a swap of `amount` (input if `exact_in`, else output) until it is used up or the limit price is met.

    Per step: next initialised tick or end of word, amounts up to there, fee to protocol (floor of fee / n) and to
    liquidity (growth += fee · 2^128 / L, modulo 2^256), then the tick is crossed. Limits are checked by the caller.
    """
    price = state.sqrt_price_x96
    tick = state.tick
    liquidity = state.liquidity
    if zero_for_one:
        growth, protocol_share = state.fee_growth_global0_x128, state.fee_protocol0
    else:
        growth, protocol_share = state.fee_growth_global1_x128, state.fee_protocol1
    step = step_exact_in if exact_in else step_exact_out
    remaining = amount
    total_in = total_out = total_fee = protocol_fee = 0
    crossed: list[tuple[int, int]] = []
    while remaining and price != sqrt_limit_x96:
        start = price
        tick_next, initialized = next_initialized_tick(words, tick, tick_spacing, zero_for_one)
        if not liquidity and not initialized:
            # Nothing is traded where there is no liquidity, so the words in between cannot round anything.
            tick_of_limit = tick_at_sqrt_ratio(sqrt_limit_x96)
            tick_next = past_empty_words(words, tick_next, tick_spacing, zero_for_one, tick_of_limit)
        if tick_next < MIN_TICK:
            tick_next = MIN_TICK
        elif tick_next > MAX_TICK:
            tick_next = MAX_TICK
        price_next = sqrt_ratio_at_tick(tick_next)
        if zero_for_one:
            target = price_next if price_next > sqrt_limit_x96 else sqrt_limit_x96
        else:
            target = price_next if price_next < sqrt_limit_x96 else sqrt_limit_x96
        price, amount_in, amount_out, fee = step(price, target, liquidity, remaining, fee_pips)
        remaining -= amount_in + fee if exact_in else amount_out
        total_in += amount_in + fee
        total_out += amount_out
        total_fee += fee
        if protocol_share:
            share = fee // protocol_share
            fee -= share
            protocol_fee += share
        if liquidity:
            growth = (growth + (fee << 128) // liquidity) & MASK_256
        if price == price_next:
            if initialized:
                crossed.append((tick_next, growth))
                net = ticks[tick_next].liquidity_net
                liquidity += -net if zero_for_one else net
            tick = tick_next - 1 if zero_for_one else tick_next
        elif price != start:
            tick = tick_at_sqrt_ratio(price)
    outcome = (total_in, total_out, price, tick, liquidity, growth, total_fee, protocol_fee, crossed)
    # What the generated constructor calls, at a third of its cost.
    return tuple.__new__(SwapPath, outcome)
