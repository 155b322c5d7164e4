"""Ticks and sqrt prices: sqrt_price(tick) = sqrt(1.0001^tick) · 2^96 (Uniswap V3 core 1.0.1, `TickMath`)."""

from __future__ import annotations

import math
from decimal import Context, Decimal
from functools import lru_cache

from sim.chain.revert import Revert
from sim.markets.amm.concentrated.constants import (
    MASK_256,
    MAX_SQRT_RATIO,
    MAX_TICK,
    MIN_SQRT_RATIO,
)


def _binary_factors() -> tuple[int, ...]:
    """1.0001^(-2^i / 2) in Q128 for i = 0 … 19, to the nearest integer: the contract's table is rounded so."""
    context = Context(prec=120)
    factor = context.divide(Decimal(1), context.sqrt(Decimal("1.0001")))
    factors = []
    for _ in range(20):
        factors.append(int(context.to_integral_value(context.multiply(factor, Decimal(1 << 128)))))
        factor = context.multiply(factor, factor)
    return tuple(factors)


_FACTORS = _binary_factors()
_LOG_Q96 = 96.0 * math.log(2.0)
_TICKS_PER_LOG = 2.0 / math.log(1.0001)
#: The float estimate of a tick is wrong by less than 1e-5 (rounding of the lowest sqrt prices included); within
#: this distance of an integer the integers are asked.
_MARGIN_TICKS = 1e-3


@lru_cache(maxsize=1 << 16)
def sqrt_ratio_at_tick(tick: int) -> int:
    """Sqrt price in Q96 of a tick, rounded up: ceil(sqrt(1.0001^tick) · 2^96) up to the table's own error.

    Reverts `T` outside ±887272. The product of binary factors is truncated to Q128 after each, as the contract does.
    """
    magnitude = abs(tick)
    if magnitude > MAX_TICK:
        raise Revert("T")
    ratio = 1 << 128
    for bit, factor in enumerate(_FACTORS):
        if magnitude >> bit & 1:
            ratio = ratio * factor >> 128
    if tick > 0:
        ratio = MASK_256 // ratio
    return -(-ratio >> 32)


def tick_at_sqrt_ratio(sqrt_price_x96: int) -> int:
    """The greatest tick whose sqrt price is not above the given one (Q96).

    Reverts `R` outside [MIN_SQRT_RATIO, MAX_SQRT_RATIO). A float logarithm proposes the tick; next to a boundary the
    exact sqrt price of that boundary decides, so the result is the contract's for every price.
    """
    if not MIN_SQRT_RATIO <= sqrt_price_x96 < MAX_SQRT_RATIO:
        raise Revert("R")
    estimate = (math.log(sqrt_price_x96) - _LOG_Q96) * _TICKS_PER_LOG
    tick = math.floor(estimate)
    fraction = estimate - tick
    if fraction < _MARGIN_TICKS:
        if sqrt_ratio_at_tick(tick) > sqrt_price_x96:
            return tick - 1
    elif fraction > 1.0 - _MARGIN_TICKS and sqrt_ratio_at_tick(tick + 1) <= sqrt_price_x96:
        return tick + 1
    return tick
