"""`StableSwapPool`: a stable pool with the adapter that agents and the economy use."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.ledger import Ledger
from sim.markets.amm.adapter import arbitrage_target
from sim.markets.amm.records import Depth, Provision, Swap
from sim.markets.amm.stableswap import curve
from sim.markets.amm.stableswap.constants import MAX_RESERVE, ZERO_AMOUNT
from sim.markets.amm.stableswap.exchange import StablePoolExchange
from sim.markets.amm.stableswap.fixed_point import ONE
from sim.markets.amm.stableswap.records import PoolChange


class StableSwapPool(StablePoolExchange):
    """A stable pool of two to five tokens. Prices are in whole tokens, by default token1 per token0.

    With more than two tokens a swap names the other token; without it token0 trades against token1. A lopsided pool
    may refuse with BAL#322 (see `stableswap.invariant`), as the contract does; prices stay readable.
    """

    def __init__(
        self,
        name: str,
        ledger: Ledger,
        clock: Clock,
        tokens: Sequence[int],
        amplification: int,
        fee_pips: int,
        rates: list[int] | None = None,
    ) -> None:
        super().__init__(name, ledger, clock, tokens, amplification, fee_pips, rates)
        self.decimals0 = ledger.tokens[self.token0].decimals
        self.decimals1 = ledger.tokens[self.token1].decimals

    # ------------------------------------------------------------------ towards a price
    def swap_to_price(
        self, sender: int, target_price: float, max_in: int | None = None, token_in: int | None = None
    ) -> Swap:
        """Trade token0 and token1 until the price is `target_price` or `max_in` is spent.

        With `token_in` given, reverts BAL#510 if the target now lies on the other side (somebody was faster); also if
        the price is there already.
        """
        needed, amount = self.amount_to_price(target_price)
        if token_in is not None and token_in != needed:
            raise Revert(ZERO_AMOUNT)
        other = self.token1 if needed == self.token0 else self.token0
        return self.swap_exact_in(sender, needed, amount if max_in is None else min(amount, max_in), 0, other)

    def amount_to_price(self, target_price: float) -> tuple[int, int]:
        """(token in, amount in with fee) that moves the price of token0 in token1 to the target.

        Found in floats, to 1e-12 of the price; amount 0 if the price is there already, or so near that the swap would
        buy nothing.
        """
        if not (math.isfinite(target_price) and target_price > 0.0):
            raise ValueError(f"price {target_price!r} must be a positive, finite number (token1 per token0)")
        ratio = target_price / self.price()
        index_in = 0 if ratio < 1.0 else 1
        token_in = self.tokens[index_in]
        step = self._step(index_in, ratio if index_in == 0 else 1.0 / ratio, self.fee_ratio)
        room = MAX_RESERVE - self.balances[index_in]
        needed = step.amount_in * float(ONE) / float(self.factors()[index_in])
        amount = min(int(needed), room) if needed < float(MAX_RESERVE) else room
        if self.quote_exact_in(token_in, amount, self.tokens[1 - index_in]) == 0:
            return token_in, 0
        return token_in, amount

    def arbitrage_target(self, outside_price: float) -> float | None:
        """The price at which trading against `outside_price` (token1 per token0) stops to pay; None if it does not."""
        return arbitrage_target(self.price(), outside_price, self.fee_ratio)

    # ------------------------------------------------------------------ readers
    def price(self, base: int | None = None, quote: int | None = None) -> float:
        """Marginal price of `base` (token0) in `quote` (token1), whole tokens, before fee.

        (a + q/x) / (a + q/y) times rate_x / rate_y, with a = A·n and q = D^(n+1) / (n^n·P) of the scaled balances;
        `ValueError` for an empty pool.
        """
        i = 0 if base is None else self.index_of(base)
        j = 1 if quote is None else self.index_of(quote)
        state = (*self.balances, *self.rates, self.amplification_milli())
        known, prices = self._priced
        if known != state:
            prices = {}
            self._priced = (state, prices)
        price = prices.get((i, j))
        if price is None:
            a, balances = self._slope(), self._floats()
            ratio = self.rates[i] / self.rates[j]
            price = prices[i, j] = curve.relative_price(a, balances, i, j, curve.invariant(a, balances)) * ratio
        return price

    def log_price(self, base: int | None = None, quote: int | None = None) -> float:
        """Natural logarithm of `price()`."""
        return math.log(self.price(base, quote))

    def depth(self, ratio: float = 0.02) -> Depth:
        """Whole tokens that move the price by `ratio` down and up, fees not counted (float, for metrics)."""
        if not 0.0 < ratio < 1.0:
            raise ValueError(f"ratio {ratio!r} is outside 0 to 1")
        if not self.state.total_shares:
            return Depth(0.0, 0.0)
        down, up = self._step(0, 1.0 - ratio, 0.0), self._step(1, 1.0 / (1.0 + ratio), 0.0)
        return Depth(down.amount_in / self.rates[0], up.amount_in / self.rates[1])

    def depth_2pct(self) -> Depth:
        """`depth` for 2 %."""
        return self.depth(0.02)

    # ------------------------------------------------------------------ deposits of a given value
    def plan_amounts(self, value1: int, price: float | None = None) -> tuple[int, ...]:
        """Amounts worth `value1` (smallest units of token1 at marginal prices), in proportion to the balances.

        An empty pool starts balanced at its rates, or with token0 and token1 such that token0 is worth `price` (whole
        tokens).
        """
        if self.state.total_shares:
            shape = [float(balance) for balance in self.scaled()]
        else:
            shape = [1.0] * len(self.tokens)
            if price is not None:
                shape = self._shape_at(price * self.rates[1] / self.rates[0])
        a = self._slope()
        d = curve.invariant(a, shape)
        worth = math.fsum(x * curve.relative_price(a, shape, k, 1, d) for k, x in enumerate(shape))
        factors = self.factors()
        unit = value1 / worth * float(factors[1])
        return tuple(int(x * unit / float(factor)) for x, factor in zip(shape, factors, strict=True))

    def plan_provision(
        self,
        value1: int,
        lower_price: float | None = None,
        upper_price: float | None = None,
        price: float | None = None,
    ) -> Provision:
        """What a deposit worth `value1` needs, for two tokens (`plan_amounts` is for more); there are no ranges."""
        self._refuse_range(lower_price, upper_price)
        if len(self.tokens) != 2:
            raise ValueError(f"pool {self.name!r} has {len(self.tokens)} tokens: ask plan_amounts")
        amount0, amount1 = self.plan_amounts(value1, price)
        return Provision(0, 0, self.shares_for((amount0, amount1)), amount0, amount1)

    def provide(
        self,
        sender: int,
        lower_price: float | None,
        upper_price: float | None,
        value1: int,
        price: float | None = None,
    ) -> PoolChange:
        """Make the deposit that `plan_amounts` plans."""
        self._refuse_range(lower_price, upper_price)
        return self.add_liquidity(sender, self.plan_amounts(value1, price))

    # ------------------------------------------------------------------ shared steps
    def _step(self, index_in: int, ratio: float, fee_ratio: float) -> curve.Step:
        """The trade between the first two tokens that leaves token in worth `ratio` of what it is; amounts scaled."""
        a, balances = self._slope(), self._floats()
        index_out = 1 - index_in
        goal = ratio * curve.relative_price(a, balances, index_in, index_out, curve.invariant(a, balances))
        return curve.step_to_price(a, balances, index_in, index_out, goal, fee_ratio)

    def _shape_at(self, relative_price: float) -> list[float]:
        """Balances in proportion at which token0 is worth `relative_price` of token1, scaled; others in balance."""
        if not (math.isfinite(relative_price) and relative_price > 0.0):
            raise ValueError(f"pool {self.name!r}: the opening price must be a positive, finite number")
        shape = [1.0] * len(self.tokens)
        index_in = 0 if relative_price < 1.0 else 1
        goal = relative_price if index_in == 0 else 1.0 / relative_price
        step = curve.step_to_price(self._slope(), shape, index_in, 1 - index_in, goal)
        shape[index_in], shape[1 - index_in] = step.balance_in, step.balance_out
        return shape

    def _refuse_range(self, lower_price: float | None, upper_price: float | None) -> None:
        if lower_price is not None or upper_price is not None:
            raise ValueError(f"pool {self.name!r} is a stable pool: it has no price ranges")
