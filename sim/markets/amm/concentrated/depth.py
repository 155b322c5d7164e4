"""How much moves the price: depth of a concentrated pool, in floats, for metrics and planning."""

from __future__ import annotations

import math

from sim.markets.amm.concentrated.constants import MAX_SQRT_RATIO, MAX_TICK, MIN_SQRT_RATIO, MIN_TICK
from sim.markets.amm.concentrated.records import PoolState, TickInfo
from sim.markets.amm.concentrated.tick_bitmap import next_initialized_tick
from sim.markets.amm.concentrated.tick_math import sqrt_ratio_at_tick
from sim.markets.amm.records import Depth

_Q96 = 2.0**96


def depth(
    state: PoolState,
    ticks: dict[int, TickInfo],
    words: dict[int, int],
    tick_spacing: int,
    decimals0: int,
    decimals1: int,
    ratio: float,
) -> Depth:
    """Whole tokens that move the price to (1 − ratio) and (1 + ratio) times itself, fees not counted.

    Per range: token0 = L·(1/s_target − 1/s), token1 = L·(s_target − s), s the sqrt price.
    """
    if not 0.0 < ratio < 1.0:
        raise ValueError(f"ratio {ratio!r} is outside 0 to 1")
    if not state.sqrt_price_x96:
        return Depth(0.0, 0.0)
    down = _amount(state, ticks, words, tick_spacing, math.sqrt(1.0 - ratio), True)
    up = _amount(state, ticks, words, tick_spacing, math.sqrt(1.0 + ratio), False)
    return Depth(down / 10**decimals0, up / 10**decimals1)


def _amount(
    state: PoolState,
    ticks: dict[int, TickInfo],
    words: dict[int, int],
    tick_spacing: int,
    root_ratio: float,
    down: bool,
) -> float:
    price = float(state.sqrt_price_x96)
    goal = price * root_ratio
    goal = max(goal, float(MIN_SQRT_RATIO)) if down else min(goal, float(MAX_SQRT_RATIO))
    tick, liquidity, total = state.tick, state.liquidity, 0.0
    while True:
        tick_next, initialized = next_initialized_tick(words, tick, tick_spacing, down)
        tick_next = min(max(tick_next, MIN_TICK), MAX_TICK)
        edge = float(sqrt_ratio_at_tick(tick_next))
        last = edge <= goal if down else edge >= goal
        end = goal if last else edge
        total += liquidity * _Q96 * (1.0 / end - 1.0 / price) if down else liquidity * (end - price) / _Q96
        if last:
            return total
        price = end
        if initialized:
            liquidity += -ticks[tick_next].liquidity_net if down else ticks[tick_next].liquidity_net
        tick = tick_next - 1 if down else tick_next
