"""`ConcentratedPool`: a Uniswap V3 pool with the adapter that agents and the economy use.

Swaps follow the periphery's `SwapRouter` 1.4.4: the sender pays and receives on its own ledger account, the pool on
its own.
"""

from __future__ import annotations

import math

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.ledger import Ledger
from sim.markets.amm.adapter import arbitrage_target
from sim.markets.amm.concentrated.constants import MAX_AMOUNT, MAX_SQRT_RATIO, MIN_SQRT_RATIO
from sim.markets.amm.concentrated.core import LOCKED, TRANSFER_FAILED
from sim.markets.amm.concentrated.depth import depth
from sim.markets.amm.concentrated.manager import PositionManager
from sim.markets.amm.concentrated.sqrt_price_math import amount0_rounding_up, amount1_rounding_up
from sim.markets.amm.concentrated.swap_path import SwapPath
from sim.markets.amm.concentrated.tick_math import sqrt_ratio_at_tick, tick_at_sqrt_ratio
from sim.markets.amm.price_units import sqrt_price_x96
from sim.markets.amm.reasons import EMPTY
from sim.markets.amm.records import Depth, LiquidityChange, Provision, Swap

PRICE_LIMIT = "SPL"
ZERO_AMOUNT = "AS"
TOO_LITTLE = "Too little received"
TOO_MUCH = "Too much requested"

_LOWEST = MIN_SQRT_RATIO + 1
_HIGHEST = MAX_SQRT_RATIO - 1
#: Liquidity by which the worth of one unit is measured when a deposit of a given value is planned.
_REFERENCE_LIQUIDITY = 1 << 120


class ConcentratedPool(PositionManager):
    """A pool with concentrated liquidity. Prices are token1 per token0 in whole tokens."""

    def __init__(
        self,
        name: str,
        ledger: Ledger,
        clock: Clock,
        token0: int,
        token1: int,
        fee_pips: int,
        tick_spacing: int,
        fee_protocol: int = 0,
    ) -> None:
        super().__init__(name, ledger, clock, token0, token1, fee_pips, tick_spacing, fee_protocol)
        self.decimals0 = ledger.tokens[token0].decimals
        self.decimals1 = ledger.tokens[token1].decimals
        self.fee_ratio = fee_pips / 1_000_000.0
        self._whole_units = float(10**self.decimals0) / float(10**self.decimals1)

    def initialize_at(self, price: float) -> int:
        """Set the first price (token1 per token0, whole tokens) and return its tick."""
        return self.initialize(sqrt_price_x96(price, self.decimals0, self.decimals1))

    # ------------------------------------------------------------------ swaps
    def swap_exact_in(
        self, sender: int, token_in: int, amount_in: int, min_out: int = 0, sqrt_price_limit_x96: int = 0
    ) -> Swap:
        """Sell `amount_in`; at a price limit (Q96, 0 = none) only what fits is taken.

        Reverts `AS` for zero, `SPL` for a limit on the wrong side, `STF` if the sender cannot pay, without text if
        nothing can be swapped, `Too little received` below `min_out`.
        """
        zero_for_one = self._direction(token_in)
        path = self._swap(sender, zero_for_one, True, amount_in, sqrt_price_limit_x96)
        if path.amount_out < min_out:
            raise Revert(TOO_LITTLE)
        token_out = self.token1 if zero_for_one else self.token0
        return Swap(token_in, token_out, path.amount_in, path.amount_out, path.fee_amount, len(path.crossed))

    def swap_exact_out(
        self,
        sender: int,
        token_in: int,
        amount_out: int,
        max_in: int | None = None,
        sqrt_price_limit_x96: int = 0,
    ) -> Swap:
        """Buy `amount_out` for at most `max_in` of `token_in`; at a price limit (Q96) possibly less is bought.

        Reverts as `swap_exact_in` does, without text if the pool cannot give that much (and no limit was set), and
        `Too much requested` above `max_in`.
        """
        zero_for_one = self._direction(token_in)
        path = self._swap(sender, zero_for_one, False, amount_out, sqrt_price_limit_x96)
        if sqrt_price_limit_x96 == 0 and path.amount_out != amount_out:
            raise Revert(EMPTY)
        if max_in is not None and path.amount_in > max_in:
            raise Revert(TOO_MUCH)
        token_out = self.token1 if zero_for_one else self.token0
        return Swap(token_in, token_out, path.amount_in, path.amount_out, path.fee_amount, len(path.crossed))

    def swap_to_price(
        self, sender: int, target_price: float, max_in: int | None = None, token_in: int | None = None
    ) -> Swap:
        """Trade until the price is `target_price` (whole tokens) or `max_in` is spent.

        With `token_in` given, reverts `SPL` if the target now lies on the other side (somebody was faster); also if
        the price is there already.
        """
        limit = self._sqrt_target(target_price)
        needed = self.token0 if limit < self.state.sqrt_price_x96 else self.token1
        if token_in is not None and token_in != needed:
            raise Revert(PRICE_LIMIT)
        return self.swap_exact_in(sender, needed, MAX_AMOUNT if max_in is None else max_in, 0, limit)

    # ------------------------------------------------------------------ quotes
    def quote_exact_in(self, token_in: int, amount_in: int) -> int:
        """What `swap_exact_in` would pay out now, 0 also if it would revert. Writes nothing."""
        path = self._quote(self._direction(token_in), True, amount_in)
        return 0 if path is None else path.amount_out

    def quote_exact_out(self, token_out: int, amount_out: int) -> int | None:
        """What `swap_exact_out` would cost now; None if the pool cannot give that much. Writes nothing."""
        path = self._quote(not self._direction(token_out), False, amount_out)
        return None if path is None or path.amount_out != amount_out else path.amount_in

    def amount_to_price(self, target_price: float) -> tuple[int, int]:
        """(token in, amount in with fee) that moves the price to `target_price` (whole tokens); amount 0 if there."""
        limit = self._sqrt_target(target_price)
        price = self.state.sqrt_price_x96
        if limit == price or not self.state.unlocked:
            return self.token0, 0
        zero_for_one = limit < price
        path = self._trace(zero_for_one, True, MAX_AMOUNT, limit)
        return (self.token0 if zero_for_one else self.token1), path.amount_in

    def arbitrage_target(self, outside_price: float) -> float | None:
        """The price at which trading against `outside_price` (whole tokens) stops to pay; None if it does not pay."""
        return arbitrage_target(self.price(), outside_price, self.fee_ratio)

    # ------------------------------------------------------------------ readers
    def price(self) -> float:
        """Marginal price, token1 per token0 in whole tokens, fee not included; 0 before `initialize`."""
        root = self.state.sqrt_price_x96 * 2.0**-96
        return root * root * self._whole_units

    def log_price(self) -> float:
        """Natural logarithm of `price()`."""
        root = self.state.sqrt_price_x96 * 2.0**-96
        return math.log(root * root * self._whole_units)

    def reserves(self) -> tuple[int, int]:
        """Tokens held, (token0, token1) in smallest units: liquidity of all ranges and all uncollected fees."""
        balances = self.ledger.balances
        return balances[self.token0][self.account], balances[self.token1][self.account]

    def virtual_reserves(self) -> tuple[int, int]:
        """Reserves of the constant-product pool that would trade alike in the current range: (L / s, L · s)."""
        state = self.state
        if not state.sqrt_price_x96:
            return 0, 0
        return (state.liquidity << 96) // state.sqrt_price_x96, state.liquidity * state.sqrt_price_x96 >> 96

    def depth(self, ratio: float = 0.02) -> Depth:
        """Whole tokens that move the price by `ratio` down and up, fees not counted (float, for metrics)."""
        return depth(self.state, self.ticks, self.tick_words, self.tick_spacing, self.decimals0, self.decimals1, ratio)

    def depth_2pct(self) -> Depth:
        """`depth` for 2 %."""
        return self.depth(0.02)

    # ------------------------------------------------------------------ bulk provision
    def usable_range(self, lower_price: float | None, upper_price: float | None) -> tuple[int, int]:
        """Usable ticks around a range of prices (whole tokens; None: no limit); `ValueError` for an empty one."""
        return self._usable_range(lower_price, upper_price)

    def range_amounts(self, tick_lower: int, tick_upper: int, liquidity: int) -> tuple[int, int]:
        """Amounts that minting `liquidity` in a range takes now, rounded up."""
        return self._amounts(tick_lower, tick_upper, liquidity)

    def plan_provision(
        self, value1: int, lower_price: float | None = None, upper_price: float | None = None
    ) -> Provision:
        """What a position worth `value1` (smallest units of token1 at the current price) needs.

        The range runs from `lower_price` to `upper_price` (whole tokens), widened to usable ticks; None = no limit.
        """
        price = self.state.sqrt_price_x96
        if not price:
            raise ValueError(f"pool {self.name!r} has no price yet: initialize it first")
        lower, upper = self._usable_range(lower_price, upper_price)
        amount0, amount1 = self._amounts(lower, upper, _REFERENCE_LIQUIDITY)
        reference = (amount0 * price * price >> 192) + amount1
        liquidity = value1 * _REFERENCE_LIQUIDITY // reference
        return Provision(lower, upper, liquidity, *self._amounts(lower, upper, liquidity))

    def provide(
        self, sender: int, lower_price: float | None, upper_price: float | None, value1: int
    ) -> LiquidityChange:
        """Open the position that `plan_provision` plans; the sender pays exactly the planned amounts."""
        plan = self.plan_provision(value1, lower_price, upper_price)
        amount0, amount1 = self._mint_range(sender, plan.tick_lower, plan.tick_upper, plan.liquidity)
        return self._open(sender, plan.tick_lower, plan.tick_upper, plan.liquidity, amount0, amount1)

    # ------------------------------------------------------------------ shared steps
    def _direction(self, token_in: int) -> bool:
        if token_in == self.token0:
            return True
        if token_in == self.token1:
            return False
        raise ValueError(f"pool {self.name!r} trades tokens {self.token0} and {self.token1}, not {token_in}")

    def _swap(self, sender: int, zero_for_one: bool, exact_in: bool, amount: int, sqrt_limit_x96: int) -> SwapPath:
        """Check, compute, write, pay out, collect the payment: the contract's order."""
        state = self.state
        if not 0 < amount <= MAX_AMOUNT:
            if amount < 0:
                raise ValueError(f"negative amount {amount}")
            raise Revert(EMPTY if amount else ZERO_AMOUNT)
        if not state.unlocked:
            raise Revert(LOCKED)
        price = state.sqrt_price_x96
        if zero_for_one:
            limit = sqrt_limit_x96 or _LOWEST
            if not MIN_SQRT_RATIO < limit < price:
                raise Revert(PRICE_LIMIT)
            token_in, token_out = self.token0, self.token1
        else:
            limit = sqrt_limit_x96 or _HIGHEST
            if not price < limit < MAX_SQRT_RATIO:
                raise Revert(PRICE_LIMIT)
            token_in, token_out = self.token1, self.token0
        path = self._trace(zero_for_one, exact_in, amount, limit)
        self._write_swap(path, zero_for_one)
        if path.amount_in == 0:
            raise Revert(EMPTY)
        transfer = self.ledger.transfer
        if path.amount_out:
            transfer(token_out, self.account, sender, path.amount_out)
        try:
            transfer(token_in, sender, self.account, path.amount_in)
        except Revert:
            raise Revert(TRANSFER_FAILED) from None
        return path

    def _quote(self, zero_for_one: bool, exact_in: bool, amount: int) -> SwapPath | None:
        state = self.state
        if not 0 < amount <= MAX_AMOUNT or not state.unlocked:
            return None
        limit = _LOWEST if zero_for_one else _HIGHEST
        if state.sqrt_price_x96 <= limit if zero_for_one else state.sqrt_price_x96 >= limit:
            return None
        try:
            path = self._trace(zero_for_one, exact_in, amount, limit)
        except Revert:
            return None
        return path if path.amount_in else None

    def _sqrt_target(self, price: float) -> int:
        return min(max(sqrt_price_x96(price, self.decimals0, self.decimals1), _LOWEST), _HIGHEST)

    def _usable_range(self, lower_price: float | None, upper_price: float | None) -> tuple[int, int]:
        spacing = self.tick_spacing
        lower, upper = self.min_usable_tick, self.max_usable_tick
        if lower_price is not None:
            lower = max(lower, tick_at_sqrt_ratio(self._sqrt_target(lower_price)) // spacing * spacing)
        if upper_price is not None:
            target = self._sqrt_target(upper_price)
            tick = tick_at_sqrt_ratio(target)
            tick += sqrt_ratio_at_tick(tick) < target
            upper = min(upper, -(-tick // spacing) * spacing)
        if lower >= upper:
            raise ValueError(
                f"pool {self.name!r}: range from {lower_price} to {upper_price} is empty at tick spacing {spacing}"
            )
        return lower, upper

    def _amounts(self, tick_lower: int, tick_upper: int, liquidity: int) -> tuple[int, int]:
        """Amounts that minting `liquidity` takes, rounded up."""
        lower, upper, price = sqrt_ratio_at_tick(tick_lower), sqrt_ratio_at_tick(tick_upper), self.state.sqrt_price_x96
        inside = min(max(price, lower), upper)
        return amount0_rounding_up(inside, upper, liquidity), amount1_rounding_up(lower, inside, liquidity)
