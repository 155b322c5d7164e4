"""`ConstantProductPool`: a Uniswap V2 pair with its router and the adapter that agents and the economy use.

Router and library: Uniswap V2 periphery 1.1.0-beta.0 (`UniswapV2Router02`). The sender pays and receives on its own
ledger account, the pool on its own.
"""

from __future__ import annotations

import math
from typing import Final

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.ledger import Ledger
from sim.markets.amm.adapter import arbitrage_target
from sim.markets.amm.constant_product_math import (
    INSUFFICIENT_INPUT,
    MINIMUM_LIQUIDITY,
    amount_to_ratio,
    input_for,
    matching_amount,
    output_of,
)
from sim.markets.amm.pair import Pair
from sim.markets.amm.price_units import raw_ratio
from sim.markets.amm.reasons import INVALID_OPCODE
from sim.markets.amm.records import Depth, Provision, SharesChange, Swap

TRANSFER_FAILED: Final = "TransferHelper: TRANSFER_FROM_FAILED"
TOO_LITTLE: Final = "UniswapV2Router: INSUFFICIENT_OUTPUT_AMOUNT"
TOO_MUCH: Final = "UniswapV2Router: EXCESSIVE_INPUT_AMOUNT"
TOO_LITTLE_0: Final = "UniswapV2Router: INSUFFICIENT_A_AMOUNT"
TOO_LITTLE_1: Final = "UniswapV2Router: INSUFFICIENT_B_AMOUNT"


class ConstantProductPool(Pair):
    """A constant-product pool. Prices are token1 per token0 in whole tokens."""

    def __init__(
        self,
        name: str,
        ledger: Ledger,
        clock: Clock,
        token0: int,
        token1: int,
        fee_bps: int = 30,
        protocol_fee_on: bool = False,
    ) -> None:
        super().__init__(name, ledger, clock, token0, token1, fee_bps, protocol_fee_on)
        self.decimals0 = ledger.tokens[token0].decimals
        self.decimals1 = ledger.tokens[token1].decimals
        self.fee_ratio = fee_bps / 10_000.0
        self._whole_units = float(10**self.decimals0) / float(10**self.decimals1)

    # ------------------------------------------------------------------ liquidity
    def add_liquidity(
        self, sender: int, amount0_desired: int, amount1_desired: int, amount0_min: int = 0, amount1_min: int = 0
    ) -> SharesChange:
        """Add as much of both tokens as the reserves' proportion allows (the first deposit sets it).

        Reverts `INSUFFICIENT_A_AMOUNT` or `_B_` below a minimum, `TRANSFER_FROM_FAILED` if the sender has too little.
        """
        amount0, amount1 = self._proportional(amount0_desired, amount1_desired, amount0_min, amount1_min)
        self._collect_payment(self.token0, sender, amount0)
        self._collect_payment(self.token1, sender, amount1)
        return SharesChange(self.mint(sender).shares, amount0, amount1)

    def remove_liquidity(self, sender: int, shares: int, amount0_min: int = 0, amount1_min: int = 0) -> SharesChange:
        """Give back LP shares for their part of both tokens, rounded down."""
        self.transfer_shares(sender, self.account, shares)
        paid = self.burn(sender)
        if paid.amount0 < amount0_min:
            raise Revert(TOO_LITTLE_0)
        if paid.amount1 < amount1_min:
            raise Revert(TOO_LITTLE_1)
        return SharesChange(shares, paid.amount0, paid.amount1)

    def plan_provision(
        self,
        value1: int,
        lower_price: float | None = None,
        upper_price: float | None = None,
        price: float | None = None,
    ) -> Provision:
        """What a deposit worth `value1` (smallest units of token1) needs: half of it in each token.

        An empty pool needs a `price` (whole tokens), which the deposit sets. There are no ranges: both limits must be
        None.
        """
        if lower_price is not None or upper_price is not None:
            raise ValueError(f"pool {self.name!r} is a constant-product pool: it has no price ranges")
        state = self.state
        amount1 = value1 // 2
        if state.total_shares:
            amount0 = amount1 * state.reserve0 // state.reserve1
            total = state.total_shares
            shares = min(amount0 * total // state.reserve0, amount1 * total // state.reserve1)
        else:
            if price is None:
                raise ValueError(f"pool {self.name!r} is empty: the first deposit needs a price")
            numerator, denominator = raw_ratio(price, self.decimals0, self.decimals1)
            amount0 = amount1 * denominator // numerator
            shares = math.isqrt(amount0 * amount1) - MINIMUM_LIQUIDITY
        return Provision(0, 0, shares, amount0, amount1)

    def provide(
        self,
        sender: int,
        lower_price: float | None,
        upper_price: float | None,
        value1: int,
        price: float | None = None,
    ) -> SharesChange:
        """Make the deposit that `plan_provision` plans."""
        plan = self.plan_provision(value1, lower_price, upper_price, price)
        return self.add_liquidity(sender, plan.amount0, plan.amount1)

    # ------------------------------------------------------------------ swaps
    def swap_exact_in(self, sender: int, token_in: int, amount_in: int, min_out: int = 0) -> Swap:
        """Sell `amount_in`; reverts `UniswapV2Router: INSUFFICIENT_OUTPUT_AMOUNT` below `min_out`."""
        reserve_in, reserve_out = self._reserves_towards(token_in)
        received = output_of(amount_in, reserve_in, reserve_out, self.kept, self.scale)
        if received < min_out:
            raise Revert(TOO_LITTLE)
        return self._swap(sender, token_in, amount_in, received)

    def swap_exact_out(self, sender: int, token_in: int, amount_out: int, max_in: int | None = None) -> Swap:
        """Buy `amount_out`; reverts `UniswapV2Router: EXCESSIVE_INPUT_AMOUNT` above `max_in`."""
        reserve_in, reserve_out = self._reserves_towards(token_in)
        cost = input_for(amount_out, reserve_in, reserve_out, self.kept, self.scale)
        if max_in is not None and cost > max_in:
            raise Revert(TOO_MUCH)
        return self._swap(sender, token_in, cost, amount_out)

    def swap_to_price(
        self, sender: int, target_price: float, max_in: int | None = None, token_in: int | None = None
    ) -> Swap:
        """Trade until the price is `target_price` (whole tokens, up to one unit) or `max_in` is spent.

        With `token_in` given, reverts `INSUFFICIENT_INPUT_AMOUNT` if the target now lies on the other side (somebody
        was faster); also if the price is there already.
        """
        needed, amount = self.amount_to_price(target_price)
        if token_in is not None and token_in != needed:
            raise Revert(INSUFFICIENT_INPUT)
        return self.swap_exact_in(sender, needed, amount if max_in is None else min(amount, max_in))

    # ------------------------------------------------------------------ quotes
    def quote_exact_in(self, token_in: int, amount_in: int) -> int:
        """What `swap_exact_in` would pay out now; 0 if it would revert. Writes nothing."""
        reserve_in, reserve_out = self._reserves_towards(token_in)
        try:
            return output_of(amount_in, reserve_in, reserve_out, self.kept, self.scale)
        except Revert:
            return 0

    def quote_exact_out(self, token_out: int, amount_out: int) -> int | None:
        """What `swap_exact_out` would cost now; None if the pool cannot give that much. Writes nothing."""
        reserve_out, reserve_in = self._reserves_towards(token_out)
        try:
            return input_for(amount_out, reserve_in, reserve_out, self.kept, self.scale)
        except Revert:
            return None

    def amount_to_price(self, target_price: float) -> tuple[int, int]:
        """(token in, amount in with fee) that moves the price to `target_price` (whole tokens); amount 0 if there."""
        state = self.state
        numerator, denominator = raw_ratio(target_price, self.decimals0, self.decimals1)
        x, y = state.reserve0, state.reserve1
        if y * denominator > x * numerator:
            return self.token0, amount_to_ratio(x, y, denominator, numerator, self.kept, self.scale)
        return self.token1, amount_to_ratio(y, x, numerator, denominator, self.kept, self.scale)

    def arbitrage_target(self, outside_price: float) -> float | None:
        """The price at which trading against `outside_price` (whole tokens) stops to pay; None if it does not pay."""
        return arbitrage_target(self.price(), outside_price, self.fee_ratio)

    # ------------------------------------------------------------------ readers
    def price(self) -> float:
        """Marginal price, token1 per token0 in whole tokens, fee not included; `ValueError` for an empty pool."""
        state = self.state
        if not state.reserve0:
            raise ValueError(f"pool {self.name!r} is empty: it has no price")
        return state.reserve1 / state.reserve0 * self._whole_units

    def log_price(self) -> float:
        """Natural logarithm of `price()`."""
        return math.log(self.price())

    def depth(self, ratio: float = 0.02) -> Depth:
        """Whole tokens that move the price by `ratio` down and up, fees not counted.

        Down x · (1/√(1−r) − 1) of token0, up y · (√(1+r) − 1) of token1.
        """
        if not 0.0 < ratio < 1.0:
            raise ValueError(f"ratio {ratio!r} is outside 0 to 1")
        state = self.state
        return Depth(
            state.reserve0 / 10**self.decimals0 * (1.0 / math.sqrt(1.0 - ratio) - 1.0),
            state.reserve1 / 10**self.decimals1 * (math.sqrt(1.0 + ratio) - 1.0),
        )

    def depth_2pct(self) -> Depth:
        """`depth` for 2 %."""
        return self.depth(0.02)

    def worth(self, account: int) -> tuple[int, int]:
        """What removing all LP shares of an account would pay now (token0, token1), before a protocol fee falls due."""
        total, held = self.state.total_shares, self.shares.get(account, 0)
        if not held:
            return 0, 0
        balance0, balance1 = self.reserves()
        return held * balance0 // total, held * balance1 // total

    # ------------------------------------------------------------------ shared steps
    def _reserves_towards(self, token_in: int) -> tuple[int, int]:
        state = self.state
        if token_in == self.token0:
            return state.reserve0, state.reserve1
        if token_in == self.token1:
            return state.reserve1, state.reserve0
        raise ValueError(f"pool {self.name!r} trades tokens {self.token0} and {self.token1}, not {token_in}")

    def _swap(self, sender: int, token_in: int, amount_in: int, amount_out: int) -> Swap:
        self._collect_payment(token_in, sender, amount_in)
        fee = amount_in - amount_in * self.kept // self.scale
        if token_in == self.token0:
            self.swap(sender, 0, amount_out)
            return Swap(token_in, self.token1, amount_in, amount_out, fee, 0)
        self.swap(sender, amount_out, 0)
        return Swap(token_in, self.token0, amount_in, amount_out, fee, 0)

    def _collect_payment(self, token: int, sender: int, amount: int) -> None:
        try:
            self.ledger.transfer(token, sender, self.account, amount)
        except Revert:
            raise Revert(TRANSFER_FAILED) from None

    def _proportional(
        self, amount0_desired: int, amount1_desired: int, amount0_min: int, amount1_min: int
    ) -> tuple[int, int]:
        state = self.state
        reserve0, reserve1 = state.reserve0, state.reserve1
        if reserve0 == 0 and reserve1 == 0:
            return amount0_desired, amount1_desired
        amount1 = matching_amount(amount0_desired, reserve0, reserve1)
        if amount1 <= amount1_desired:
            if amount1 < amount1_min:
                raise Revert(TOO_LITTLE_1)
            return amount0_desired, amount1
        amount0 = matching_amount(amount1_desired, reserve1, reserve0)
        if amount0 > amount0_desired:
            raise Revert(INVALID_OPCODE)
        if amount0 < amount0_min:
            raise Revert(TOO_LITTLE_0)
        return amount0, amount1_desired
