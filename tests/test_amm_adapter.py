"""The uniform adapter on both kinds of pool: quotes, prices, trades to a price, arbitrage, depth, provision."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
from amm_fixture import USDC, WETH, Market, refusal, snapshot
from hypothesis import given
from hypothesis import strategies as st

from sim.markets.amm.adapter import arbitrage_target
from sim.markets.amm.concentrated.tick_math import sqrt_ratio_at_tick
from sim.markets.amm.price_units import raw_ratio, sqrt_price_x96

KINDS = ("concentrated", "constant_product")


def build(market: Market, kind: str, **options: Any) -> Any:
    return getattr(market, kind)(**options)


both = pytest.mark.parametrize("kind", KINDS)
AMOUNTS = st.floats(0.0, 24.0).map(lambda exponent: int(10**exponent))


# ---------------------------------------------------------------------- quotes
@both
@given(moves=st.lists(st.tuples(st.booleans(), AMOUNTS), max_size=3), first=st.booleans(), amount=AMOUNTS)
def test_a_quote_equals_the_swap_that_follows(
    kind: str, moves: list[tuple[bool, int]], first: bool, amount: int
) -> None:
    market = Market()
    pool = build(market, kind)
    for sell, size in moves:
        if pool.quote_exact_in(WETH if sell else USDC, size):
            pool.swap_exact_in(market.trader, WETH if sell else USDC, size)
    token_in, token_out = (WETH, USDC) if first else (USDC, WETH)
    before = snapshot(pool)
    quoted_out = pool.quote_exact_in(token_in, amount)
    quoted_in = pool.quote_exact_out(token_out, amount)
    assert snapshot(pool) == before
    mark = pool.journal.mark()
    if quoted_out:
        assert pool.swap_exact_in(market.trader, token_in, amount).amount_out == quoted_out
    else:
        # A concentrated pool takes a crumb and pays nothing for it; a constant-product pool refuses.
        reason = refusal(pool.swap_exact_in, market.trader, token_in, amount, pool=pool)
        assert reason is not None or kind == "concentrated"
    pool.journal.undo(mark)
    assert snapshot(pool) == before
    if quoted_in is None or quoted_in > market.ledger.balances[token_in][market.trader]:
        assert refusal(pool.swap_exact_out, market.trader, token_in, amount, pool=pool) is not None
    else:
        swap = pool.swap_exact_out(market.trader, token_in, amount)
        assert (swap.amount_in, swap.amount_out) == (quoted_in, amount)


@both
def test_a_token_of_another_pool_is_an_error(kind: str) -> None:
    pool = build(Market(), kind)
    for operation in (pool.quote_exact_in, pool.quote_exact_out):
        with pytest.raises(ValueError, match="not 5"):
            operation(5, 1)


@both
def test_quotes_of_nothing(kind: str) -> None:
    pool = build(Market(), kind)
    assert pool.quote_exact_in(WETH, 0) == 0
    assert pool.quote_exact_in(WETH, -3) == 0
    assert pool.quote_exact_out(WETH, 0) is None
    assert pool.quote_exact_out(WETH, 10**40) is None


# ---------------------------------------------------------------------- prices
@both
@pytest.mark.parametrize(("decimals0", "decimals1"), [(18, 6), (6, 18), (18, 18), (8, 6), (2, 18)])
@pytest.mark.parametrize("price", [0.0005, 1.0, 2000.0, 43_210.5])
def test_the_price_is_the_one_the_pool_was_opened_at(kind: str, decimals0: int, decimals1: int, price: float) -> None:
    market = Market(decimals0, decimals1)
    options = {"ranges": ()} if kind == "concentrated" else {}
    pool = build(market, kind, price=price, value1=10 ** (decimals1 + 9), **options)
    assert pool.price() == pytest.approx(price, rel=1e-6)
    assert pool.log_price() == math.log(pool.price())


@pytest.mark.parametrize("price", [0.0, -1.0, math.nan, math.inf])
def test_a_price_that_is_none_is_refused(price: float) -> None:
    with pytest.raises(ValueError, match="positive, finite"):
        raw_ratio(price, 18, 6)


def test_sqrt_prices_are_exact() -> None:
    assert sqrt_price_x96(1.0, 18, 18) == 1 << 96
    assert sqrt_price_x96(4.0, 6, 6) == 2 << 96
    assert sqrt_price_x96(1e12, 18, 6) == 1 << 96
    assert sqrt_price_x96(0.25, 18, 20) == 5 << 96
    for price in (2000.0, 0.1, 1e-9, 3.3e7, 1.0 + 2.0**-52):
        root = sqrt_price_x96(price, 18, 6)
        assert root**2 <= Fraction(price) * 2**192 / 10**12 < (root + 1) ** 2


# ---------------------------------------------------------------------- trades to a price
@both
@given(target=st.floats(500.0, 8000.0), fee=st.sampled_from([5, 30, 100]))
def test_the_amount_to_a_price_moves_the_pool_there(kind: str, target: float, fee: int) -> None:
    market = Market()
    pool = build(market, kind, **({"fee_bps": fee} if kind == "constant_product" else {"fee_pips": fee * 100}))
    before = snapshot(pool)
    token_in, amount = pool.amount_to_price(target)
    assert snapshot(pool) == before
    if amount:  # nothing is to be traded where the price is there already, from whichever side
        assert token_in == (WETH if target < pool.price() else USDC)
        pool.swap_exact_in(market.trader, token_in, amount)
    assert pool.price() == pytest.approx(target, rel=1e-9)


@both
@given(target=st.floats(500.0, 8000.0))
def test_swapping_to_a_price_takes_the_amount_to_it(kind: str, target: float) -> None:
    market = Market()
    pool = build(market, kind)
    token_in, amount = pool.amount_to_price(target)
    if not amount:
        return
    swap = pool.swap_to_price(market.trader, target, token_in=token_in)
    assert (swap.token_in, swap.amount_in) == (token_in, amount)
    assert pool.price() == pytest.approx(target, rel=1e-9)


@both
def test_swapping_to_a_price_with_little_money_stops_on_the_way(kind: str) -> None:
    market = Market()
    pool = build(market, kind)
    _, amount = pool.amount_to_price(1800.0)
    swap = pool.swap_to_price(market.trader, 1800.0, max_in=amount // 2)
    assert swap.amount_in == amount // 2
    assert 1800.0 < pool.price() < 2000.0


@both
def test_a_target_that_was_passed_meanwhile_is_refused(kind: str) -> None:
    market = Market()
    pool = build(market, kind)
    pool.swap_to_price(market.trader, 1700.0)
    reason = refusal(pool.swap_to_price, market.trader, 1800.0, None, WETH, pool=pool)
    assert reason == ("SPL" if kind == "concentrated" else "UniswapV2Library: INSUFFICIENT_INPUT_AMOUNT")


@both
def test_at_the_price_nothing_is_needed(kind: str) -> None:
    market = Market()
    pool = build(market, kind)
    assert pool.amount_to_price(pool.price())[1] <= 10
    if kind == "concentrated":
        pool.swap_to_price(market.trader, 1900.0)
        assert pool.amount_to_price(1900.0) == (WETH, 0)


# ---------------------------------------------------------------------- arbitrage
def test_inside_the_band_of_the_fee_nothing_is_gained() -> None:
    assert arbitrage_target(2000.0, 2000.0, 0.003) is None
    assert arbitrage_target(2000.0, 1995.0, 0.003) is None
    assert arbitrage_target(2000.0, 2005.0, 0.003) is None
    assert arbitrage_target(2000.0, 1990.0, 0.003) == 1990.0 / 0.997
    assert arbitrage_target(2000.0, 2010.0, 0.003) == 2010.0 * 0.997


@both
@pytest.mark.parametrize("outside", [1500.0, 1990.0, 2011.0, 2600.0])
def test_the_arbitrage_target_is_the_trade_that_earns_most(kind: str, outside: float) -> None:
    """Against an unlimited outside market at `outside`, 1 % more or less of the trade earns less."""

    def profit_usd(share: float) -> float:
        market = Market()
        pool = build(market, kind)
        target = pool.arbitrage_target(outside)
        token_in, amount = pool.amount_to_price(target)
        amount = int(amount * share)
        swap = pool.swap_exact_in(market.trader, token_in, amount)
        if token_in == WETH:
            return swap.amount_out * 1e-6 - amount * 1e-18 * outside
        return swap.amount_out * 1e-18 * outside - amount * 1e-6

    assert profit_usd(1.0) > 0.0
    assert profit_usd(1.0) > profit_usd(0.99)
    assert profit_usd(1.0) > profit_usd(1.01)


@both
def test_after_arbitrage_there_is_none(kind: str) -> None:
    market = Market()
    pool = build(market, kind)
    assert pool.arbitrage_target(2000.0) is None
    target = pool.arbitrage_target(1800.0)
    pool.swap_to_price(market.trader, target)
    again = pool.arbitrage_target(1800.0)
    assert again is None or pool.amount_to_price(again)[1] < 10**9


# ---------------------------------------------------------------------- depth
@both
@given(moved=st.floats(1500.0, 2700.0), ratio=st.floats(0.001, 0.3))
def test_depth_is_what_moves_the_price(kind: str, moved: float, ratio: float) -> None:
    market = Market()
    pool = build(market, kind, **({"fee_bps": 0} if kind == "constant_product" else {"fee_pips": 0}))
    if pool.amount_to_price(moved)[1]:
        pool.swap_to_price(market.trader, moved)
    depth = pool.depth(ratio)
    price = pool.price()
    assert depth.token0_down == pytest.approx(pool.amount_to_price(price * (1.0 - ratio))[1] * 1e-18, rel=1e-8)
    assert depth.token1_up == pytest.approx(pool.amount_to_price(price * (1.0 + ratio))[1] * 1e-6, rel=1e-6, abs=1e-4)


@both
def test_depth_of_two_per_cent_and_of_nonsense(kind: str) -> None:
    pool = build(Market(), kind)
    assert pool.depth_2pct() == pool.depth(0.02)
    for ratio in (0.0, 1.0, -0.5):
        with pytest.raises(ValueError, match="ratio"):
            pool.depth(ratio)


def test_depth_of_a_constant_product_pool_by_hand() -> None:
    # 10M USD: 2500 WETH and 5M USDC.
    depth = Market().constant_product().depth_2pct()
    assert depth.token0_down == pytest.approx(2500.0 * (1.0 / math.sqrt(0.98) - 1.0), rel=1e-9)
    assert depth.token1_up == pytest.approx(5e6 * (math.sqrt(1.02) - 1.0), rel=1e-9)


# ---------------------------------------------------------------------- provision
@pytest.mark.parametrize(
    ("lower", "upper"),
    [(None, None), (1900.0, 2100.0), (None, 2100.0), (1900.0, None), (2100.0, 2500.0), (1.0, 1900.0)],
)
def test_a_provision_is_worth_what_was_asked(lower: float | None, upper: float | None) -> None:
    market = Market()
    pool = market.concentrated()
    plan = pool.plan_provision(10**12, lower, upper)
    assert plan.amount0 * 1e-18 * 2000.0 + plan.amount1 * 1e-6 == pytest.approx(1e6, rel=1e-6)
    before = pool.ledger.balances[WETH][market.other], pool.ledger.balances[USDC][market.other]
    change = pool.provide(market.other, lower, upper, 10**12)
    assert (change.liquidity, change.amount0, change.amount1) == (plan.liquidity, plan.amount0, plan.amount1)
    after = pool.ledger.balances[WETH][market.other], pool.ledger.balances[USDC][market.other]
    assert (before[0] - after[0], before[1] - after[1]) == (plan.amount0, plan.amount1)
    held = pool.positions[change.position]
    assert held.owner == market.other
    # Widened to usable ticks, by less than one of them.
    if lower is not None:
        assert sqrt_ratio_at_tick(held.tick_lower) <= sqrt_price_x96(lower, 18, 6)
        assert sqrt_ratio_at_tick(held.tick_lower + 60) > sqrt_price_x96(lower, 18, 6)
    if upper is not None:
        assert sqrt_ratio_at_tick(held.tick_upper) >= sqrt_price_x96(upper, 18, 6)
        assert sqrt_ratio_at_tick(held.tick_upper - 60) < sqrt_price_x96(upper, 18, 6)


def test_a_range_from_tick_to_tick_is_not_widened() -> None:
    market = Market(18, 18)
    pool = market.concentrated(price=1.0, ranges=(), tick_spacing=1, value1=10**18)
    plan = pool.plan_provision(10**18, 1.0, 1.0 + 2e-9)
    assert (plan.tick_lower, plan.tick_upper) == (0, 1)
    assert pool.plan_provision(10**18, 0.5, 1.0).tick_upper == 0


def test_an_empty_range_is_an_error() -> None:
    pool = Market().concentrated()
    with pytest.raises(ValueError, match="empty at tick spacing 60"):
        pool.plan_provision(10**12, 2100.0, 1900.0)
    with pytest.raises(ValueError, match="initialize it first"):
        Market().concentrated(price=None).provide(0, None, None, 10**12)


def test_provision_of_a_constant_product_pool() -> None:
    market = Market()
    pool = market.constant_product(price=None)
    with pytest.raises(ValueError, match="needs a price"):
        pool.plan_provision(10**12)
    with pytest.raises(ValueError, match="no price ranges"):
        pool.plan_provision(10**12, 1.0, 2.0)
    with pytest.raises(ValueError, match="empty"):
        pool.price()
    plan = pool.plan_provision(10**12, price=2000.0)
    assert (plan.amount0, plan.amount1) == (250 * 10**18, 5 * 10**11)
    change = pool.provide(market.provider, None, None, 10**12, 2000.0)
    assert change.shares == plan.liquidity
    second = pool.plan_provision(10**12)
    assert pool.provide(market.other, None, None, 10**12).shares == second.liquidity
    assert pool.worth(market.other) == (250 * 10**18, 5 * 10**11)
    assert pool.worth(market.trader) == (0, 0)
    assert pool.reserves() == (500 * 10**18, 10**12)


def test_virtual_reserves_have_the_pools_price() -> None:
    pool = Market().concentrated()
    reserve0, reserve1 = pool.virtual_reserves()
    assert reserve1 / reserve0 * 1e12 == pytest.approx(pool.price(), rel=1e-9)
    assert reserve0 * reserve1 == pytest.approx(pool.state.liquidity**2, rel=1e-9)
