"""Edges of the concentrated pool: price limits, both ends of the scale, exactly on a tick, empty stretches."""

from __future__ import annotations

import math

import pytest
from amm_fixture import PLENTY, USDC, WETH, Market, refusal
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sim.markets.amm.concentrated import swap_path
from sim.markets.amm.concentrated.constants import MAX_SQRT_RATIO, MIN_SQRT_RATIO
from sim.markets.amm.concentrated.tick_math import sqrt_ratio_at_tick
from sim.markets.amm.records import Swap

MIN, MAX = -887220, 887220


@pytest.fixture
def market() -> Market:
    return Market()


def test_a_limit_stops_the_swap_at_exactly_that_price(market: Market) -> None:
    pool = market.concentrated()
    limit = sqrt_ratio_at_tick(pool.state.tick - 300)
    swap = pool.swap_exact_in(market.trader, WETH, 10**24, 0, limit)
    assert pool.state.sqrt_price_x96 == limit
    assert swap.amount_in < 10**24
    assert isinstance(swap, Swap)
    upper = pool.state.sqrt_price_x96 * 11 // 10
    bought = pool.swap_exact_out(market.trader, USDC, 10**26, None, upper)
    assert pool.state.sqrt_price_x96 == upper
    assert bought.amount_out < 10**26


def test_an_exact_amount_larger_than_the_pool_ends_at_the_lowest_price(market: Market) -> None:
    pool = market.concentrated()
    quoted = pool.quote_exact_in(WETH, PLENTY)
    market.ledger.inflow(WETH, market.trader, 10**50)
    swap = pool.swap_exact_in(market.trader, WETH, 10**50)
    assert quoted <= swap.amount_out
    assert pool.state.sqrt_price_x96 == MIN_SQRT_RATIO + 1
    assert swap.amount_in < 10**50
    assert pool.quote_exact_in(WETH, 1) == 0
    assert refusal(pool.swap_exact_in, market.trader, WETH, 10**18, pool=pool) == "SPL"
    assert pool.quote_exact_in(USDC, 10**9) > 0


def test_fee_growth_wraps_round_and_is_credited_right(market: Market) -> None:
    """Growth is counted modulo 2^256; only its differences are ever used."""
    pool = market.concentrated(ranges=())
    for name in ("fee_growth_global0_x128", "fee_growth_global1_x128"):
        pool._set(name, (1 << 256) - 5)
    pool.mint(market.provider, -202_200, -197_400, 10**18, 2000 * 10**6)
    sold = pool.swap_exact_in(market.trader, WETH, 10**15)
    bought = pool.swap_exact_in(market.trader, USDC, 10**6)
    assert pool.state.fee_growth_global0_x128 < 1 << 200
    assert pool.state.fee_growth_global1_x128 < 1 << 200
    got = pool.collect(market.provider, 1)
    assert 0 <= sold.fee_amount - got.amount0 <= 1
    assert 0 <= bought.fee_amount - got.amount1 <= 1


@pytest.mark.parametrize("descending", [False, True])
def test_at_exactly_a_tick_the_range_above_is_in_and_the_one_below_is_out(market: Market, descending: bool) -> None:
    """Coming down, a swap that stops exactly on a tick has already crossed it: then it is the other way round."""
    pool = market.concentrated(ranges=((None, None),), tick_spacing=1)
    here = pool.state.tick
    below = pool.mint(market.other, here - 50, here - 20, 0, 10**9)
    above = pool.mint(market.other, here - 20, here - 10, 0, 10**9)
    edge = sqrt_ratio_at_tick(here - 20)
    if not descending:
        pool.swap_exact_in(market.trader, WETH, 10**24, 0, sqrt_ratio_at_tick(here - 40))
        pool.swap_exact_in(market.trader, USDC, 10**18, 0, edge)
    else:
        pool.swap_exact_in(market.trader, WETH, 10**24, 0, edge)
    assert pool.state.sqrt_price_x96 == edge
    assert pool.state.tick == here - 20 - descending
    whole = pool.positions[1].liquidity
    assert pool.state.liquidity == whole + (below if descending else above).liquidity
    # New liquidity on either side joins or stays out in the same way, and costs one token only.
    same_below = pool.mint(market.other, here - 60, here - 20, 0, 10**9)
    same_above = pool.mint(market.other, here - 20, here - 5, 10**18, 0)
    active = (below.liquidity + same_below.liquidity) if descending else (above.liquidity + same_above.liquidity)
    assert pool.state.liquidity == whole + active
    assert (same_below.amount0, same_above.amount1) == (0, 0)
    before = pool.worth(same_below.position), pool.worth(same_above.position)
    # Trading on above the edge earns for the upper range alone.
    pool.swap_exact_in(market.trader, USDC, 10**8, 0, sqrt_ratio_at_tick(here - 15))
    pool.swap_exact_in(market.trader, WETH, 10**18, 0, edge + 1)
    after = pool.worth(same_below.position), pool.worth(same_above.position)
    assert after[0] == before[0]
    assert after[1][1] > before[1][1]


def test_a_tick_that_appears_at_the_current_tick_counts_growth_as_below_it(market: Market) -> None:
    pool = market.concentrated(ranges=((None, None),), tick_spacing=1)
    pool.swap_exact_in(market.trader, WETH, 10**18)
    here = pool.state.tick
    pool.mint(market.other, here, here + 30, 10**18, 10**9)
    pool.mint(market.other, here - 30, here, 0, 10**9)
    assert pool.ticks[here].fee_growth_outside0_x128 == pool.state.fee_growth_global0_x128 > 0
    assert pool.ticks[here + 30].fee_growth_outside0_x128 == 0


def test_prices_reach_both_ends(market: Market) -> None:
    low = market.concentrated(price=None)
    low.initialize(MIN_SQRT_RATIO)
    low.mint(market.provider, MIN, MAX, 10**24, 10**24)
    assert low.quote_exact_in(WETH, 10**18) == 0
    lowest = market.concentrated(price=None, tick_spacing=1)
    lowest.initialize(MIN_SQRT_RATIO)
    lowest._mint_range(market.provider, -887272, 0, 10**10)
    assert lowest.quote_exact_in(WETH, 10**18) == 0
    assert refusal(lowest.swap_exact_in, market.trader, WETH, 10**18, pool=lowest) == "SPL"
    high = market.concentrated(price=None, tick_spacing=1)
    high.initialize(MAX_SQRT_RATIO - 1)
    assert high.quote_exact_in(USDC, 10**9) == 0
    assert refusal(high.swap_exact_in, market.trader, USDC, 10, pool=high) == "SPL"
    assert math.isfinite(high.log_price())


@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.integers(-300, 300), st.integers(1, 40)), min_size=1, max_size=2),
    st.integers(-60_000, 60_000),
    st.one_of(st.integers(-20, 20).map(lambda word: word * 256 * 10), st.integers(-200_000, 200_000)),
    st.sampled_from([0, 0, -1, 1]),
    st.booleans(),
)
def test_stepping_over_empty_words_at_once_changes_nothing(
    ranges: list[tuple[int, int]], start: int, limit_tick: int, offset: int, exact_in: bool
) -> None:
    """Against the contract's walk, word by word; limits on the ends of words and one beside them."""
    market = Market(18, 18)
    pool = market.concentrated(price=None, tick_spacing=10)
    pool.initialize(sqrt_ratio_at_tick(start))
    for lower, width in ranges:
        pool._mint_range(market.provider, lower * 100, (lower + width) * 100, 10**15)
    limit = sqrt_ratio_at_tick(limit_tick) + offset
    price = pool.state.sqrt_price_x96
    assume(limit != price)
    at_once = pool._trace(limit < price, exact_in, 10**40, limit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(swap_path, "past_empty_words", lambda words, tick_next, *rest: tick_next)
        word_by_word = pool._trace(limit < price, exact_in, 10**40, limit)
    assert at_once == word_by_word
