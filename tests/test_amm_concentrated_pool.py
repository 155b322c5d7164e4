"""The concentrated pool: the contract's own numbers, every refusal, positions over their life."""

from __future__ import annotations

import pytest
from amm_fixture import PLENTY, USDC, WETH, Market, refusal

from sim.markets.amm.concentrated.constants import MASK_128, MAX_SQRT_RATIO, MIN_SQRT_RATIO, Q96
from sim.markets.amm.concentrated.pool import ConcentratedPool
from sim.markets.amm.records import Collected

MIN, MAX = -887220, 887220


@pytest.fixture
def market() -> Market:
    return Market()


@pytest.fixture
def tenth(market: Market) -> ConcentratedPool:
    """The pool of the contract's own tests: price 1/10, spacing 60, 3161 of liquidity everywhere."""
    pool = market.concentrated(price=None)
    pool.initialize(25054144837504793118641380156)
    pool._mint_range(market.provider, MIN, MAX, 3161)
    return pool


# ---------------------------------------------------------------------- worked examples (the contract's own tests)
def test_minting_everywhere(tenth: ConcentratedPool) -> None:
    assert tenth.state.tick == -23028
    assert tenth.reserves() == (9996, 1000)
    assert tenth.state.liquidity == 3161
    assert tenth.max_liquidity_per_tick == 11505743598341114571880798222544994


@pytest.mark.parametrize(
    ("lower", "upper", "liquidity", "added"),
    [
        (-22980, 0, 10000, (21549, 0)),
        (MIN + 60, MAX - 60, 100, (317, 32)),
        (MIN, MAX, 10000, (31623, 3163)),
        (-46080, -23040, 10000, (0, 2162)),
    ],
)
def test_what_a_range_costs(
    market: Market, tenth: ConcentratedPool, lower: int, upper: int, liquidity: int, added: tuple[int, int]
) -> None:
    assert tenth._mint_range(market.provider, lower, upper, liquidity) == added
    assert tenth.reserves() == (9996 + added[0], 1000 + added[1])


def test_minting_and_burning_a_range_leaves_its_rounding(market: Market, tenth: ConcentratedPool) -> None:
    tenth._mint_range(market.provider, -240, 0, 10000)
    assert tenth._burn_range(-240, 0, 10000) == (120, 0)
    assert tenth._collect_range(market.provider, -240, 0, MASK_128, MASK_128) == (120, 0)
    assert tenth.reserves() == (9997, 1000)
    assert -240 not in tenth.ticks
    assert tenth.tick_words[-1] == 0


def test_ids_share_a_range_and_keep_their_own_fees(market: Market) -> None:
    pool = market.concentrated(ranges=())
    one = pool.mint(market.provider, -202_200, -197_400, 10**18, 2000 * 10**6)
    two = pool.mint(market.other, -202_200, -197_400, 3 * 10**18, 6000 * 10**6)
    assert (one.position, two.position) == (1, 2)
    assert len(pool.ranges) == 1
    swap = pool.swap_exact_in(market.trader, WETH, 10**16)
    assert swap.fee_amount == 3 * 10**13
    got = [pool.collect(market.provider, 1).amount0, pool.collect(market.other, 2).amount0]
    assert sum(got) in (3 * 10**13 - 2, 3 * 10**13 - 1, 3 * 10**13)
    assert abs(got[0] * 3 - got[1]) <= 3 + got[1] // 10**8


# ---------------------------------------------------------------------- refusals
def test_refusals_of_the_pool(market: Market) -> None:
    fresh = market.concentrated(price=None)
    assert refusal(fresh.swap_exact_in, market.trader, WETH, 1, pool=fresh) == "LOK"
    assert refusal(fresh.swap_exact_in, market.trader, WETH, 0, pool=fresh) == "AS"
    assert refusal(fresh.flash, market.trader, 1, 1, lambda: None, pool=fresh) == "LOK"
    assert refusal(fresh.set_fee_protocol, market.trader, 4, 4, pool=fresh) == "LOK"
    assert refusal(fresh.collect_protocol, market.trader, pool=fresh) == "LOK"
    assert refusal(fresh._mint_range, market.trader, 0, 60, 1, pool=fresh) == "LOK"
    assert refusal(fresh._burn_range, 0, 60, 1, pool=fresh) == "LOK"
    assert refusal(fresh._collect_range, market.trader, 0, 60, 1, 1, pool=fresh) == "LOK"
    assert refusal(fresh.initialize, MIN_SQRT_RATIO - 1, pool=fresh) == "R"
    assert fresh.quote_exact_in(WETH, 10**18) == 0
    assert fresh.quote_exact_out(WETH, 10**18) is None
    assert fresh.amount_to_price(2000.0) == (WETH, 0)
    assert fresh.virtual_reserves() == (0, 0)
    assert fresh.depth() == (0.0, 0.0)
    fresh.initialize(Q96)
    assert refusal(fresh.initialize, Q96, pool=fresh) == "AI"


def test_refusals_of_swaps(market: Market) -> None:
    pool = market.concentrated()
    trader, price = market.trader, pool.state.sqrt_price_x96
    assert refusal(pool.swap_exact_in, trader, WETH, 0, pool=pool) == "AS"
    assert refusal(pool.swap_exact_out, trader, WETH, 0, pool=pool) == "AS"
    assert refusal(pool.swap_exact_in, trader, WETH, 1 << 255, pool=pool) == ""
    for limit in (price, price + 1, MIN_SQRT_RATIO):
        assert refusal(pool.swap_exact_in, trader, WETH, 1, 0, limit, pool=pool) == "SPL"
    for limit in (price, price - 1, MAX_SQRT_RATIO):
        assert refusal(pool.swap_exact_in, trader, USDC, 1, 0, limit, pool=pool) == "SPL"
    assert refusal(pool.swap_exact_in, market.poor, WETH, 10**18, pool=pool) == "STF"
    assert refusal(pool.swap_exact_in, trader, WETH, 10**18, 2000 * 10**6, pool=pool) == "Too little received"
    assert refusal(pool.swap_exact_out, trader, USDC, 10**18, 2000 * 10**6, pool=pool) == "Too much requested"
    narrow = market.concentrated(ranges=((1900.0, 2100.0),))
    assert refusal(narrow.swap_exact_out, trader, WETH, PLENTY, pool=narrow) == ""
    assert narrow.quote_exact_out(WETH, PLENTY) is None
    with pytest.raises(ValueError, match="not 7"):
        pool.swap_exact_in(trader, 7, 1)
    with pytest.raises(ValueError, match="negative"):
        pool.swap_exact_in(trader, WETH, -1)


def test_a_pool_without_liquidity_refuses_and_a_stretch_without_it_is_crossed(market: Market) -> None:
    empty = market.concentrated(ranges=())
    assert refusal(empty.swap_exact_in, market.trader, WETH, 10**18, pool=empty) == ""
    assert empty.quote_exact_in(WETH, 10**18) == 0
    gap = Market()
    pool = gap.concentrated(ranges=((1000.0, 1100.0),))
    assert pool.state.liquidity == 0
    swap = pool.swap_exact_in(gap.trader, WETH, 10**15)
    assert swap.ticks_crossed == 1
    assert 1000.0 < pool.price() < 1102.0


def test_refusals_of_positions(market: Market) -> None:
    pool = market.concentrated(tick_spacing=60)
    mint, who = pool.mint, market.provider
    tick = pool.state.tick // 60 * 60
    assert refusal(mint, who, -887280, 0, 1, 1, pool=pool) == "T"
    assert refusal(mint, who, tick, tick, 10**18, 10**9, pool=pool) == ""
    assert refusal(mint, who, tick + 60, tick, 10**18, 10**9, pool=pool) == "TLU"
    assert refusal(mint, who, tick + 1, tick + 60, 10**18, 10**9, pool=pool) == ""
    assert refusal(mint, who, tick, tick + 60, 0, 0, pool=pool) == ""
    assert refusal(pool._mint_range, who, -887340, 0, 1, pool=pool) == "TLM"
    assert refusal(pool._mint_range, who, 0, 887340, 1, pool=pool) == "TUM"
    assert refusal(pool._mint_range, who, tick, tick + 60, 1 << 127, pool=pool) == ""
    assert refusal(pool._mint_range, who, tick, tick + 60, pool.max_liquidity_per_tick + 1, pool=pool) == "LO"
    assert refusal(pool._burn_range, tick, tick + 60, 1, pool=pool) == "LS"
    assert refusal(pool._burn_range, tick, tick + 60, 0, pool=pool) == "NP"
    assert refusal(pool._burn_range, tick, tick + 60, 1 << 127, pool=pool) == ""
    assert refusal(mint, market.poor, tick - 600, tick + 600, 10**18, 10**10, pool=pool) == "STF"
    slippage = "Price slippage check"
    assert refusal(mint, who, tick - 600, tick + 600, 10**18, 10**10, 10**18 + 1, pool=pool) == slippage
    assert refusal(pool.increase, who, 1, 10**18, 10**10, 10**19, pool=pool) == slippage
    held = pool.positions[1].liquidity
    assert refusal(pool.decrease, who, 1, held // 2, PLENTY, pool=pool) == slippage
    assert refusal(pool.decrease, who, 1, 0, pool=pool) == ""
    assert refusal(pool.decrease, who, 1, held + 1, pool=pool) == ""
    assert refusal(pool.decrease, market.other, 1, 1, pool=pool) == "Not approved"
    assert refusal(pool.collect, market.other, 1, pool=pool) == "Not approved"
    assert refusal(pool.collect, who, 1, 0, 0, pool=pool) == ""
    assert refusal(pool.burn, who, 1, pool=pool) == "Not cleared"
    unknown = "ERC721: operator query for nonexistent token"
    assert refusal(pool.decrease, who, 99, 1, pool=pool) == unknown
    assert refusal(pool.collect, who, 99, pool=pool) == unknown
    assert refusal(pool.burn, who, 99, pool=pool) == unknown
    assert refusal(pool.increase, who, 99, 1, 1, pool=pool) == ""
    assert pool._collect_range(who, tick, tick + 60, 1, 1) == (0, 0)


def test_liquidity_in_range_stays_within_128_bits(market: Market) -> None:
    pool = market.concentrated(price=None, tick_spacing=16383)
    pool.initialize(Q96)
    account = market.provider
    for token in (WETH, USDC):
        market.ledger.inflow(token, account, 1 << 140)
    step, each = 16383, pool.max_liquidity_per_tick
    for i in range(1, 54):
        pool._mint_range(account, -i * step, i * step, each)
    assert pool.state.liquidity == 53 * each
    assert pool.state.liquidity <= MASK_128


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((WETH, WETH, 3000, 60), "same token"),
        ((WETH, USDC, -1, 60), "fee_pips -1"),
        ((WETH, USDC, 1_000_000, 60), "fee_pips 1000000"),
        ((WETH, USDC, 3000, 0), "tick_spacing 0"),
        ((WETH, USDC, 3000, 16384), "tick_spacing 16384"),
        ((WETH, USDC, 3000, 60, 3), "fee_protocol 3"),
        ((WETH, USDC, 3000, 60, 11), "fee_protocol 11"),
    ],
)
def test_a_pool_that_cannot_be(market: Market, arguments: tuple[int, ...], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ConcentratedPool("bad", market.ledger, market.clock, *arguments)


# ---------------------------------------------------------------------- positions over their life
def test_a_position_from_mint_to_burn(market: Market) -> None:
    pool = market.concentrated(ranges=())
    minted = pool.mint(market.other, -202_200, -197_400, 10**18, 2000 * 10**6)
    assert pool.worth(1) == (minted.amount0 - 1, minted.amount1 - 1)
    increased = pool.increase(market.provider, 1, 10**18, 2000 * 10**6)
    assert increased.position == 1
    pool.swap_exact_in(market.trader, WETH, 10**17)
    worth = pool.worth(1)
    whole = pool.positions[1].liquidity
    pool.decrease(market.other, 1, whole // 2)
    pool.decrease(market.other, 1, whole - whole // 2)
    part = pool.collect(market.other, 1, 5, 7)
    assert part == Collected(1, 5, 7)
    rest = pool.collect(market.other, 1)
    assert 0 <= worth[0] - rest.amount0 - 5 <= 2
    assert 0 <= worth[1] - rest.amount1 - 7 <= 2
    assert pool.worth(1) == (0, 0)
    pool.burn(market.other, 1)
    assert pool.positions == {}
    assert pool.ticks == {}
    assert pool.mint(market.other, -60, 0, 10**18, 0).position == 2


def test_what_rounding_left_short_is_written_off(market: Market) -> None:
    """Every update rounds a range's fees down; an id that waits is then owed a little more than its range has."""
    pool = market.concentrated(ranges=(), fee_pips=500)
    pool.mint(market.provider, -202_200, -197_400, 10**18, 10**18)
    pool.mint(market.other, -202_200, -197_400, 10**6, 10**6)
    for i in range(200):
        pool.swap_exact_in(market.trader, USDC, 3001 + i)
        pool.collect(market.other, 2)
    liquidity = pool.positions[1].liquidity
    growth = pool.state.fee_growth_global1_x128
    owed = growth * liquidity >> 128
    paid = pool.collect(market.provider, 1).amount1
    assert owed - 200 < paid < owed
    assert pool.positions[1].tokens_owed1 == 0
    assert pool.ranges[-202_200, -197_400].tokens_owed1 == 0
    for i in range(200):
        pool.swap_exact_in(market.trader, WETH, 10**12 + 7**i % 10**11)
        pool.collect(market.other, 2)
    owed = (pool.state.fee_growth_global0_x128 - pool.positions[1].fee_growth_inside0_last_x128) * liquidity >> 128
    paid = pool.collect(market.provider, 1).amount0
    assert owed - 200 < paid < owed
    assert pool.positions[1].tokens_owed0 == 0
