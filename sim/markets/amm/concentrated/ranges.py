"""Liquidity of price ranges: ticks, the ranges' own fees, and the amounts they take and give.

Uniswap V3 core 1.0.1, `UniswapV3Pool.mint`, `burn` and `collect` with `Tick.update` and `Position.update`. Each range
is one position of the pool; whose it is, and in which parts, is the manager's business.
"""

from __future__ import annotations

from sim.chain.revert import Revert
from sim.markets.amm.concentrated.constants import MASK_128, MAX_LIQUIDITY_DELTA, MAX_TICK, MIN_TICK
from sim.markets.amm.concentrated.core import LOCKED, TRANSFER_FAILED, ConcentratedCore
from sim.markets.amm.concentrated.fee_growth import fee_growth_inside, fees_earned
from sim.markets.amm.concentrated.records import NO_POSITION, NO_TICK, RangePosition, TickInfo
from sim.markets.amm.concentrated.sqrt_price_math import (
    amount0_rounding_down,
    amount0_rounding_up,
    amount1_rounding_down,
    amount1_rounding_up,
)
from sim.markets.amm.concentrated.tick_bitmap import position_of
from sim.markets.amm.concentrated.tick_math import sqrt_ratio_at_tick
from sim.markets.amm.reasons import EMPTY


class RangeLiquidity(ConcentratedCore):
    """A pool whose ranges can be filled and emptied."""

    def _mint_range(self, payer: int, tick_lower: int, tick_upper: int, liquidity: int) -> tuple[int, int]:
        """Add liquidity to a range; the payer pays both amounts, rounded up. Reverts `STF` if it cannot."""
        if not self.state.unlocked:
            raise Revert(LOCKED)
        if not 0 < liquidity <= MAX_LIQUIDITY_DELTA:
            raise Revert(EMPTY)
        amount0, amount1 = self._modify_range(tick_lower, tick_upper, liquidity)
        try:
            if amount0:
                self.ledger.transfer(self.token0, payer, self.account, amount0)
            if amount1:
                self.ledger.transfer(self.token1, payer, self.account, amount1)
        except Revert:
            raise Revert(TRANSFER_FAILED) from None
        return amount0, amount1

    def _burn_range(self, tick_lower: int, tick_upper: int, liquidity: int) -> tuple[int, int]:
        """Take liquidity out of a range; both amounts, rounded down, are then owed to the range. 0 updates its fees."""
        if not self.state.unlocked:
            raise Revert(LOCKED)
        if liquidity > MAX_LIQUIDITY_DELTA:
            raise Revert(EMPTY)
        amount0, amount1 = self._modify_range(tick_lower, tick_upper, -liquidity)
        if amount0 or amount1:
            key = (tick_lower, tick_upper)
            held = self.ranges[key]
            self.journal.put(
                self.ranges,
                key,
                held._replace(
                    tokens_owed0=held.tokens_owed0 + amount0 & MASK_128,
                    tokens_owed1=held.tokens_owed1 + amount1 & MASK_128,
                ),
            )
        return amount0, amount1

    def _collect_range(
        self, receiver: int, tick_lower: int, tick_upper: int, amount0: int, amount1: int
    ) -> tuple[int, int]:
        """Pay what is owed to a range, at most the given amounts."""
        if not self.state.unlocked:
            raise Revert(LOCKED)
        key = (tick_lower, tick_upper)
        held = self.ranges.get(key, NO_POSITION)
        amount0, amount1 = min(amount0, held.tokens_owed0), min(amount1, held.tokens_owed1)
        if amount0 or amount1:
            self.journal.put(
                self.ranges,
                key,
                held._replace(tokens_owed0=held.tokens_owed0 - amount0, tokens_owed1=held.tokens_owed1 - amount1),
            )
            self._pay(receiver, amount0, amount1)
        return amount0, amount1

    def _modify_range(self, tick_lower: int, tick_upper: int, delta: int) -> tuple[int, int]:
        """Change a range's liquidity, credit its fees, and return the amounts (rounded against the position)."""
        if tick_lower >= tick_upper:
            raise Revert("TLU")
        if tick_lower < MIN_TICK:
            raise Revert("TLM")
        if tick_upper > MAX_TICK:
            raise Revert("TUM")
        state = self.state
        tick = state.tick
        if delta:
            emptied_lower = self._update_tick(tick_lower, delta, delta)
            emptied_upper = self._update_tick(tick_upper, delta, -delta)
        self._update_range(tick_lower, tick_upper, delta)
        if delta < 0:
            if emptied_lower:
                self.journal.remove(self.ticks, tick_lower)
            if emptied_upper:
                self.journal.remove(self.ticks, tick_upper)
        if not delta:
            return 0, 0
        lower, upper, price = sqrt_ratio_at_tick(tick_lower), sqrt_ratio_at_tick(tick_upper), state.sqrt_price_x96
        amount0 = amount0_rounding_up if delta > 0 else amount0_rounding_down
        amount1 = amount1_rounding_up if delta > 0 else amount1_rounding_down
        size = abs(delta)
        if tick < tick_lower:
            return amount0(lower, upper, size), 0
        if tick >= tick_upper:
            return 0, amount1(lower, upper, size)
        self._set("liquidity", _add_liquidity(state.liquidity, delta))
        return amount0(price, upper, size), amount1(lower, price, size)

    def _update_tick(self, tick: int, delta: int, net_delta: int) -> bool:
        """Change the liquidity that refers to a tick; true if the tick appeared or became empty."""
        info = self.ticks.get(tick, NO_TICK)
        gross = _add_liquidity(info.liquidity_gross, delta)
        if gross > self.max_liquidity_per_tick:
            raise Revert("LO")
        outside0, outside1 = info.fee_growth_outside0_x128, info.fee_growth_outside1_x128
        if info.liquidity_gross == 0 and tick <= self.state.tick:
            # By convention all growth so far happened below a tick that appears.
            outside0, outside1 = self.state.fee_growth_global0_x128, self.state.fee_growth_global1_x128
        self.journal.put(self.ticks, tick, TickInfo(gross, info.liquidity_net + net_delta, outside0, outside1))
        flipped = (gross == 0) != (info.liquidity_gross == 0)
        if flipped:
            if tick % self.tick_spacing:
                raise Revert(EMPTY)
            word, bit = position_of(tick, self.tick_spacing)
            self.journal.put(self.tick_words, word, self.tick_words.get(word, 0) ^ (1 << bit))
        return flipped

    def _update_range(self, tick_lower: int, tick_upper: int, delta: int) -> None:
        """Credit the fees earned since the last update and change the range's liquidity; `NP` if there is nothing."""
        key = (tick_lower, tick_upper)
        held = self.ranges.get(key, NO_POSITION)
        if not delta and not held.liquidity:
            raise Revert("NP")
        inside0, inside1 = fee_growth_inside(self.ticks, tick_lower, tick_upper, self.state)
        earned0 = fees_earned(inside0, held.fee_growth_inside0_last_x128, held.liquidity)
        earned1 = fees_earned(inside1, held.fee_growth_inside1_last_x128, held.liquidity)
        updated = RangePosition(
            _add_liquidity(held.liquidity, delta),
            inside0,
            inside1,
            held.tokens_owed0 + earned0 & MASK_128,
            held.tokens_owed1 + earned1 & MASK_128,
        )
        self.journal.put(self.ranges, key, updated)


def _add_liquidity(liquidity: int, delta: int) -> int:
    """Liquidity plus a signed change; reverts `LS` below zero and `LA` beyond 128 bits."""
    result = liquidity + delta
    if result < 0:
        raise Revert("LS")
    if result > MASK_128:
        raise Revert("LA")
    return result
