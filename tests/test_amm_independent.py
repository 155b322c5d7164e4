"""Uniswap V3 against a small implementation of its own: continuous mathematics in 90-digit decimals, no integers.

It knows ranges as intervals of sqrt price, walks a swap from one edge to the next with the closed forms of the white
paper, and splits each fee by liquidity at that moment. It shares no code with the pool.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from amm_fixture import USDC, WETH, Market
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.markets.amm.concentrated.pool import ConcentratedPool


class ContinuousPool:
    """Ranges (lower, upper sqrt price, liquidity), one sqrt price, and what each range has earned."""

    def __init__(self, root: Decimal, fee: Decimal) -> None:
        self.root = root
        self.kept = 1 - fee
        self.ranges: list[tuple[Decimal, Decimal, Decimal]] = []
        self.earned: list[list[Decimal]] = []

    def add(self, tick_lower: int, tick_upper: int, liquidity: int) -> tuple[Decimal, Decimal]:
        """Add a range and return what it costs."""
        base = Decimal("1.0001").sqrt()
        lower, upper = base**tick_lower, base**tick_upper
        self.ranges.append((lower, upper, Decimal(liquidity)))
        self.earned.append([Decimal(0), Decimal(0)])
        return self.holdings(len(self.ranges) - 1)

    def holdings(self, index: int) -> tuple[Decimal, Decimal]:
        """Tokens inside one range at the current price."""
        lower, upper, liquidity = self.ranges[index]
        inside = min(max(self.root, lower), upper)
        return liquidity * (1 / inside - 1 / upper), liquidity * (inside - lower)

    def sell0(self, amount: Decimal) -> Decimal:
        """Sell token0: per stretch Δ(1/s) = in / L, out = L·Δs."""
        received = Decimal(0)
        while True:
            active = [i for i, (lower, upper, _) in enumerate(self.ranges) if lower < self.root <= upper]
            liquidity = sum((self.ranges[i][2] for i in active), Decimal(0))
            edge = max(edge for lower, upper, _ in self.ranges for edge in (lower, upper) if edge < self.root)
            usable = amount * self.kept
            if liquidity and usable < liquidity * (1 / edge - 1 / self.root):
                target = 1 / (1 / self.root + usable / liquidity)
            else:
                target = edge
            paid = liquidity * (1 / target - 1 / self.root) / self.kept
            self._share(active, liquidity, paid * (1 - self.kept), 0)
            received += liquidity * (self.root - target)
            amount -= paid
            self.root = target
            if target != edge:
                return received

    def sell1(self, amount: Decimal) -> Decimal:
        """Sell token1: per stretch Δs = in / L, out = L·Δ(1/s)."""
        received = Decimal(0)
        while True:
            active = [i for i, (lower, upper, _) in enumerate(self.ranges) if lower <= self.root < upper]
            liquidity = sum((self.ranges[i][2] for i in active), Decimal(0))
            edge = min(edge for lower, upper, _ in self.ranges for edge in (lower, upper) if edge > self.root)
            usable = amount * self.kept
            if liquidity and usable < liquidity * (edge - self.root):
                target = self.root + usable / liquidity
            else:
                target = edge
            paid = liquidity * (target - self.root) / self.kept
            self._share(active, liquidity, paid * (1 - self.kept), 1)
            received += liquidity * (1 / self.root - 1 / target)
            amount -= paid
            self.root = target
            if target != edge:
                return received

    def _share(self, active: list[int], liquidity: Decimal, fee: Decimal, token: int) -> None:
        for i in active:
            self.earned[i][token] += fee * self.ranges[i][2] / liquidity


def twins(fee_pips: int, ranges: list[tuple[int, int, int]]) -> tuple[Market, ConcentratedPool, ContinuousPool]:
    """The same liquidity in the pool and in the continuous one."""
    market = Market()
    pool = market.concentrated(ranges=(), fee_pips=fee_pips, tick_spacing=10)
    other = ContinuousPool(Decimal(pool.state.sqrt_price_x96) / Decimal(2**96), Decimal(fee_pips) / 1_000_000)
    for lower, upper, exponent in ranges:
        plan = pool.plan_provision(10**exponent)
        amounts = pool._mint_range(market.provider, lower, upper, plan.liquidity)
        pool._open(market.provider, lower, upper, plan.liquidity, *amounts)
        cost = other.add(lower, upper, plan.liquidity)
        for got, exact in zip(amounts, cost, strict=True):
            # Sqrt prices of ticks are rounded to 96 binary places, about 4e-25 of these prices.
            assert abs(got - exact) <= 1 + exact * Decimal("1e-20")
    return market, pool, other


TRADES = st.lists(st.tuples(st.booleans(), st.floats(0.0, 1.0)), min_size=1, max_size=8)
RANGES = st.lists(
    st.tuples(st.integers(-20_600, -20_040), st.integers(1, 300), st.integers(10, 13)), min_size=0, max_size=4
)


@settings(max_examples=60)
@given(TRADES, RANGES, st.sampled_from([0, 500, 3000, 10_000]))
def test_the_pool_trades_as_the_continuous_mathematics(
    trades: list[tuple[bool, float]], ranges: list[tuple[int, int, int]], fee_pips: int
) -> None:
    with localcontext() as context:
        context.prec = 90
        spread = [(lower * 10, (lower + width) * 10, exponent) for lower, width, exponent in ranges]
        market, pool, other = twins(fee_pips, [(-887_270, 887_270, 12), *spread])
        for sell0, size in trades:
            tick = pool.state.tick
            if sell0:
                amount = int(10 ** (14.0 + 7.0 * size))
                swap = pool.swap_exact_in(market.trader, WETH, amount)
                exact = other.sell0(Decimal(amount))
            else:
                amount = int(10 ** (5.0 + 7.0 * size))
                swap = pool.swap_exact_in(market.trader, USDC, amount)
                exact = other.sell1(Decimal(amount))
            # Each step (to a tick, or to the end of 256 of them) rounds both amounts against the trader; one unit of
            # USDC is up to some 1e9 units of WETH here.
            steps = 2 + swap.ticks_crossed + abs(pool.state.tick - tick) // 2560
            tolerance = steps * 3 * (1 if sell0 else 1 + 1 / other.root**2)
            assert -tolerance <= exact - swap.amount_out <= tolerance
            root = Decimal(pool.state.sqrt_price_x96) / Decimal(2**96)
            assert abs(root - other.root) <= other.root * Decimal("1e-9")
        for index, earned in enumerate(other.earned):
            pool.decrease(market.provider, index + 1, pool.positions[index + 1].liquidity // 2)
            held = pool.positions[index + 1]
            principal = other.holdings(index)
            for token, (owed, exact) in enumerate(zip((held.tokens_owed0, held.tokens_owed1), earned, strict=True)):
                both = exact + principal[token] / 2
                assert abs(owed - both) <= both * Decimal("1e-6") + (3 * 10**10 if token == 0 else 60)


def test_a_trade_across_three_ranges_by_hand() -> None:
    """1 % fee, liquidity 1e18 above, 3e18 in the middle, 2e18 below; 1e16 of token0 sold at sqrt price 1."""
    market = Market(18, 18)
    pool = ConcentratedPool("hand", market.ledger, market.clock, WETH, USDC, 10_000, 200)
    pool.initialize(1 << 96)
    ledger = market.ledger
    pool._mint_range(market.provider, -400, 400, 10**18)
    pool._mint_range(market.provider, -200, 400, 2 * 10**18)
    pool._mint_range(market.provider, -2000, -400, 2 * 10**18)
    before = ledger.balances[USDC][market.trader]
    swap = pool.swap_exact_in(market.trader, WETH, 10**17)
    base = 1.0001**0.5
    first, second = base**-200, base**-400
    used = 3e18 * (1 / first - 1) + 1e18 * (1 / second - 1 / first)
    rest = 1e17 * 0.99 - used
    last = 1 / (1 / second + rest / 2e18)
    expected = 3e18 * (1 - first) + 1e18 * (first - second) + 2e18 * (second - last)
    assert swap.ticks_crossed == 2
    assert swap.amount_out == pytest.approx(expected, rel=1e-12)
    assert swap.amount_in == 10**17
    assert swap.fee_amount == pytest.approx(1e15, rel=1e-12)
    assert ledger.balances[USDC][market.trader] - before == swap.amount_out
    assert pool.state.sqrt_price_x96 == pytest.approx(last * 2.0**96, rel=1e-12)
    assert pool.state.liquidity == 2 * 10**18
