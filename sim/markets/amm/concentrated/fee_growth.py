"""Fee growth inside a range (Uniswap V3 core 1.0.1, `Tick.getFeeGrowthInside`)."""

from __future__ import annotations

from sim.markets.amm.concentrated.constants import MASK_256
from sim.markets.amm.concentrated.records import NO_TICK, PoolState, TickInfo


def fee_growth_inside(
    ticks: dict[int, TickInfo], tick_lower: int, tick_upper: int, state: PoolState
) -> tuple[int, int]:
    """Fees per unit of liquidity ever earned between two ticks, (token0, token1), Q128 modulo 2^256.

    inside = global − below(lower) − above(upper). Only differences of this value over time mean something.
    """
    lower = ticks.get(tick_lower, NO_TICK)
    upper = ticks.get(tick_upper, NO_TICK)
    global0, global1 = state.fee_growth_global0_x128, state.fee_growth_global1_x128
    below0, below1 = lower.fee_growth_outside0_x128, lower.fee_growth_outside1_x128
    above0, above1 = upper.fee_growth_outside0_x128, upper.fee_growth_outside1_x128
    if state.tick < tick_lower:
        below0, below1 = global0 - below0, global1 - below1
    if state.tick >= tick_upper:
        above0, above1 = global0 - above0, global1 - above1
    return (global0 - below0 - above0) & MASK_256, (global1 - below1 - above1) & MASK_256


def fees_earned(growth_inside_x128: int, growth_inside_last_x128: int, liquidity: int) -> int:
    """Fees (smallest units, rounded down) that `liquidity` earned while the growth inside its range went up.

    The difference is taken modulo 2^256, so a growth that wrapped round counts right.
    """
    return (growth_inside_x128 - growth_inside_last_x128 & MASK_256) * liquidity >> 128
