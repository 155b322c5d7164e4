"""The constant-product pool: the contract's own numbers, every refusal, protocol fee, flash swap, cumulative prices."""

from __future__ import annotations

from fractions import Fraction

import pytest
from amm_fixture import PLENTY, USDC, WETH, Market, refusal
from hypothesis import given
from hypothesis import strategies as st

from sim.chain.revert import Revert
from sim.markets.amm.constant_product import ConstantProductPool
from sim.markets.amm.constant_product_math import (
    amount_to_ratio,
    fee_fraction,
    input_for,
    matching_amount,
    output_of,
    protocol_shares,
)
from sim.markets.amm.records import SharesChange, Swap

ETHER = 10**18


@pytest.fixture
def market() -> Market:
    return Market(18, 18)


def pool_of(market: Market, amount0: int, amount1: int, protocol_fee_on: bool = False) -> ConstantProductPool:
    pool = market.constant_product(price=None, protocol_fee_on=protocol_fee_on)
    pool.add_liquidity(market.provider, amount0, amount1)
    return pool


# ---------------------------------------------------------------------- worked examples (the contract's own tests)
def test_the_first_deposit_locks_a_thousand_shares(market: Market) -> None:
    pool = market.constant_product(price=None)
    assert pool.add_liquidity(market.provider, ETHER, 4 * ETHER) == SharesChange(2 * ETHER - 1000, ETHER, 4 * ETHER)
    assert pool.state.total_shares == 2 * ETHER
    assert pool.shares == {market.provider: 2 * ETHER - 1000}
    assert (pool.state.reserve0, pool.state.reserve1) == (ETHER, 4 * ETHER)


@pytest.mark.parametrize(
    ("amount_in", "reserve0", "reserve1", "expected_out"),
    [
        (1, 5, 10, 1662497915624478906),
        (1, 10, 5, 453305446940074565),
        (2, 5, 10, 2851015155847869602),
        (2, 10, 5, 831248957812239453),
        (1, 10, 10, 906610893880149131),
        (1, 100, 100, 987158034397061298),
        (1, 1000, 1000, 996006981039903216),
    ],
)
def test_the_most_a_swap_may_take(
    market: Market, amount_in: int, reserve0: int, reserve1: int, expected_out: int
) -> None:
    pool = pool_of(market, reserve0 * ETHER, reserve1 * ETHER)
    assert pool.quote_exact_in(WETH, amount_in * ETHER) == expected_out
    market.ledger.transfer(WETH, market.trader, pool.account, amount_in * ETHER)
    assert refusal(pool.swap, market.trader, 0, expected_out + 1, pool=pool) == "UniswapV2: K"
    assert pool.swap(market.trader, 0, expected_out) == (amount_in * ETHER, 0)


@pytest.mark.parametrize(
    ("output", "reserve0", "reserve1", "amount_in"),
    [
        (997 * 10**15, 5, 10, ETHER),
        (997 * 10**15, 10, 5, ETHER),
        (997 * 10**15, 5, 5, ETHER),
        (ETHER, 5, 5, 1003009027081243732),
    ],
)
def test_paying_back_the_token_that_was_taken(
    market: Market, output: int, reserve0: int, reserve1: int, amount_in: int
) -> None:
    pool = pool_of(market, reserve0 * ETHER, reserve1 * ETHER)
    market.ledger.transfer(WETH, market.trader, pool.account, amount_in)
    assert refusal(pool.swap, market.trader, output + 1, 0, pool=pool) == "UniswapV2: K"
    pool.swap(market.trader, output, 0)


@pytest.mark.parametrize(
    ("protocol_fee_on", "fee_shares", "left0", "left1"),
    [(False, 0, 1000, 1000), (True, 249750499251388, 1000 + 249501683697445, 1000 + 250000187312969)],
)
def test_the_protocol_takes_a_sixth_of_the_growth(
    market: Market, protocol_fee_on: bool, fee_shares: int, left0: int, left1: int
) -> None:
    pool = pool_of(market, 1000 * ETHER, 1000 * ETHER, protocol_fee_on)
    market.ledger.transfer(USDC, market.trader, pool.account, ETHER)
    pool.swap(market.trader, 996006981039903216, 0)
    pool.remove_liquidity(market.provider, 1000 * ETHER - 1000)
    assert pool.state.total_shares == 1000 + fee_shares
    assert pool.shares.get(pool.fee_account, 0) == fee_shares
    if protocol_fee_on:
        assert pool.reserves() == (left0, left1)
    else:
        assert pool.state.k_last == 0


def test_router_quotes() -> None:
    assert output_of(2, 100, 100, 997, 1000) == 1
    assert input_for(1, 100, 100, 997, 1000) == 2
    assert matching_amount(1, 100, 200) == 2
    assert matching_amount(2, 200, 100) == 1


def test_cumulative_prices_count_seconds_at_the_price_before(market: Market) -> None:
    pool = pool_of(market, 3 * ETHER, 3 * ETHER)
    one = 1 << 112
    market.clock.timestamp += 10
    pool.sync(market.trader)
    assert (pool.state.price0_cumulative_last, pool.state.price1_cumulative_last) == (10 * one, 10 * one)
    market.ledger.transfer(USDC, market.trader, pool.account, 3 * ETHER)
    pool.sync(market.trader)
    market.clock.timestamp += 7
    pool.swap_exact_in(market.trader, WETH, ETHER)
    pool.swap_exact_in(market.trader, WETH, ETHER)
    assert pool.state.price0_cumulative_last == 10 * one + 7 * 2 * one
    assert pool.state.price1_cumulative_last == 10 * one + 7 * (one // 2)
    assert pool.state.block_timestamp_last == market.clock.timestamp


def test_cumulative_prices_and_time_wrap_round(market: Market) -> None:
    pool = pool_of(market, ETHER, ETHER)
    pool._set("price0_cumulative_last", (1 << 256) - 1)
    pool._set("block_timestamp_last", (1 << 32) - 5)
    market.clock.timestamp = (1 << 32) + 5
    pool.sync(market.trader)
    assert pool.state.price0_cumulative_last == 10 * (1 << 112) - 1
    assert pool.state.block_timestamp_last == 5


def test_a_swap_reports_its_fee(market: Market) -> None:
    pool = pool_of(market, 1000 * ETHER, 1000 * ETHER)
    swap = pool.swap_exact_in(market.trader, WETH, ETHER + 1)
    assert swap == Swap(WETH, USDC, ETHER + 1, swap.amount_out, 3 * 10**15 + 1, 0)


# ---------------------------------------------------------------------- refusals
def test_refusals_of_router_and_library(market: Market) -> None:
    pool = pool_of(market, 1000 * ETHER, 1000 * ETHER)
    trader, poor, provider = market.trader, market.poor, market.provider
    router, library = "UniswapV2Router: ", "UniswapV2Library: "
    assert refusal(pool.swap_exact_in, trader, WETH, 0, pool=pool) == library + "INSUFFICIENT_INPUT_AMOUNT"
    assert refusal(pool.swap_exact_out, trader, WETH, 0, pool=pool) == library + "INSUFFICIENT_OUTPUT_AMOUNT"
    assert refusal(pool.swap_exact_in, trader, WETH, ETHER, ETHER, pool=pool) == router + "INSUFFICIENT_OUTPUT_AMOUNT"
    assert refusal(pool.swap_exact_out, trader, WETH, ETHER, ETHER, pool=pool) == router + "EXCESSIVE_INPUT_AMOUNT"
    assert refusal(pool.swap_exact_out, trader, WETH, 1000 * ETHER, pool=pool) == "InvalidFEOpcode"
    assert refusal(pool.swap_exact_out, trader, WETH, 1000 * ETHER + 1, pool=pool) == "ds-math-sub-underflow"
    assert refusal(pool.swap_exact_in, trader, WETH, 1 << 250, pool=pool) == "ds-math-mul-overflow"
    assert refusal(pool.swap_exact_out, trader, WETH, 1 << 250, pool=pool) == "ds-math-mul-overflow"
    assert refusal(pool.swap_exact_in, poor, WETH, ETHER, pool=pool) == "TransferHelper: TRANSFER_FROM_FAILED"
    assert refusal(pool.swap_exact_in, trader, WETH, 1, pool=pool) == "UniswapV2: INSUFFICIENT_OUTPUT_AMOUNT"
    assert refusal(pool.add_liquidity, provider, 0, ETHER, pool=pool) == library + "INSUFFICIENT_AMOUNT"
    assert (
        refusal(pool.add_liquidity, provider, ETHER, 2 * ETHER, 0, 2 * ETHER, pool=pool)
        == router + "INSUFFICIENT_B_AMOUNT"
    )
    assert (
        refusal(pool.add_liquidity, provider, 2 * ETHER, ETHER, 2 * ETHER, 0, pool=pool)
        == router + "INSUFFICIENT_A_AMOUNT"
    )
    assert refusal(pool.add_liquidity, provider, 1 << 250, 1 << 250, pool=pool) == "ds-math-mul-overflow"
    assert refusal(pool.add_liquidity, poor, ETHER, ETHER, pool=pool) == "TransferHelper: TRANSFER_FROM_FAILED"
    assert refusal(pool.remove_liquidity, poor, 1, pool=pool) == "ds-math-sub-underflow"
    assert refusal(pool.remove_liquidity, provider, ETHER, ETHER + 1, pool=pool) == router + "INSUFFICIENT_A_AMOUNT"
    assert refusal(pool.remove_liquidity, provider, ETHER, 0, ETHER + 1, pool=pool) == router + "INSUFFICIENT_B_AMOUNT"
    with pytest.raises(ValueError, match="negative"):
        pool.transfer_shares(provider, trader, -1)


def test_refusals_of_the_pair(market: Market) -> None:
    pool = pool_of(market, 5 * ETHER, 10 * ETHER)
    trader = market.trader
    assert refusal(pool.swap, trader, 0, 0, pool=pool) == "UniswapV2: INSUFFICIENT_OUTPUT_AMOUNT"
    assert refusal(pool.swap, trader, 5 * ETHER, 0, pool=pool) == "UniswapV2: INSUFFICIENT_LIQUIDITY"
    assert refusal(pool.swap, trader, 0, 10 * ETHER, pool=pool) == "UniswapV2: INSUFFICIENT_LIQUIDITY"
    assert refusal(pool.swap, trader, 0, ETHER, pool=pool) == "UniswapV2: INSUFFICIENT_INPUT_AMOUNT"
    assert refusal(pool.mint, trader, pool=pool) == "UniswapV2: INSUFFICIENT_LIQUIDITY_MINTED"
    assert refusal(pool.burn, trader, pool=pool) == "UniswapV2: INSUFFICIENT_LIQUIDITY_BURNED"
    with pytest.raises(ValueError, match="negative"):
        pool.swap(trader, -1, ETHER)


def test_refusals_of_an_empty_pool(market: Market) -> None:
    pool = market.constant_product(price=None)
    provider = market.provider
    nothing = "UniswapV2Library: INSUFFICIENT_LIQUIDITY"
    assert refusal(pool.swap_exact_in, provider, WETH, ETHER, pool=pool) == nothing
    assert refusal(pool.swap_exact_out, provider, WETH, ETHER, pool=pool) == nothing
    assert refusal(pool.add_liquidity, provider, 10, 10, pool=pool) == "ds-math-sub-underflow"
    assert refusal(pool.add_liquidity, provider, 1000, 1000, pool=pool) == "UniswapV2: INSUFFICIENT_LIQUIDITY_MINTED"
    assert refusal(pool.remove_liquidity, provider, 0, pool=pool) == "InvalidFEOpcode"
    rich = Market()
    rich.ledger.inflow(WETH, rich.provider, 1 << 200)
    rich.ledger.inflow(USDC, rich.provider, 1 << 200)
    huge = rich.constant_product(price=None)
    assert refusal(huge.add_liquidity, rich.provider, 1 << 112, 10**9, pool=huge) == "UniswapV2: OVERFLOW"
    assert refusal(huge.add_liquidity, rich.provider, 1 << 150, 1 << 150, pool=huge) == "ds-math-mul-overflow"
    huge.add_liquidity(rich.provider, (1 << 112) - 1, (1 << 112) - 1)
    assert refusal(huge.swap_exact_in, rich.provider, WETH, 10**6, pool=huge) == "UniswapV2: OVERFLOW"


def test_overflow_of_a_sum() -> None:
    with pytest.raises(Revert, match="ds-math-add-overflow"):
        output_of(((1 << 256) - 1) // 997, 1, 1, 997, 1000)
    with pytest.raises(Revert, match="ds-math-mul-overflow"):
        matching_amount(1 << 200, 1, 1 << 100)
    with pytest.raises(Revert, match="INSUFFICIENT_LIQUIDITY"):
        matching_amount(1, 0, 1)


@pytest.mark.parametrize("fee_bps", [-1, 10_000])
def test_a_fee_that_cannot_be(market: Market, fee_bps: int) -> None:
    with pytest.raises(ValueError, match="outside 0 to 9999"):
        market.constant_product(fee_bps=fee_bps)


def test_a_pair_of_one_token_cannot_be(market: Market) -> None:
    with pytest.raises(ValueError, match="same token"):
        ConstantProductPool("bad", market.ledger, market.clock, WETH, WETH)


# ---------------------------------------------------------------------- flash swap, skim, shares, protocol fee
def test_a_flash_swap_is_paid_inside_its_callback(market: Market) -> None:
    pool = pool_of(market, 1000 * ETHER, 1000 * ETHER)
    cost = input_for(ETHER, 1000 * ETHER, 1000 * ETHER, 997, 1000)

    def pay() -> None:
        assert market.ledger.balances[WETH][market.poor] == ETHER
        market.ledger.inflow(USDC, market.poor, cost)
        market.ledger.transfer(USDC, market.poor, pool.account, cost)

    assert pool.swap(market.poor, ETHER, 0, pay) == (0, cost)
    for inner in (
        lambda: pool.swap(market.trader, 1, 0),
        lambda: pool.sync(market.trader),
        lambda: pool.skim(market.trader),
        lambda: pool.mint(market.trader),
        lambda: pool.burn(market.trader),
    ):
        assert refusal(pool.swap, market.trader, ETHER, 0, inner, pool=pool) == "UniswapV2: LOCKED"


def test_skim_pays_what_lies_beyond_the_reserves(market: Market) -> None:
    pool = pool_of(market, ETHER, ETHER)
    market.ledger.transfer(WETH, market.trader, pool.account, 77)
    assert pool.skim(market.poor) == (77, 0)
    assert market.ledger.balances[WETH][market.poor] == 77


def test_leaving_pays_a_part_of_what_the_pool_holds_gifts_included(market: Market) -> None:
    pool = pool_of(market, 10 * ETHER, 10 * ETHER)
    market.ledger.transfer(WETH, market.trader, pool.account, 10 * ETHER)
    assert pool.worth(market.provider)[0] == (10 * ETHER - 1000) * 2
    assert pool.remove_liquidity(market.provider, ETHER) == SharesChange(ETHER, 2 * ETHER, ETHER)


def test_amounts_that_fit_exactly_are_taken_as_they_are(market: Market) -> None:
    pool = pool_of(market, 3 * ETHER, ETHER)
    added = pool.add_liquidity(market.other, 4_000_001, 1_333_333)
    assert (added.amount0, added.amount1) == (4_000_001, 1_333_333)
    assert pool.add_liquidity(market.other, 4_000_001, 1_333_332).amount0 == 3_999_996


def test_shares_change_hands(market: Market) -> None:
    pool = pool_of(market, ETHER, ETHER)
    pool.transfer_shares(market.provider, market.other, 600)
    pool.transfer_shares(market.provider, market.provider, 100)
    assert pool.shares == {market.provider: ETHER - 1600, market.other: 600}
    assert pool.remove_liquidity(market.other, 600) == SharesChange(600, 600, 600)


def test_switching_the_protocol_fee(market: Market) -> None:
    pool = pool_of(market, 1000 * ETHER, 1000 * ETHER)
    pool.set_protocol_fee(market.trader, True)
    pool.add_liquidity(market.provider, ETHER, ETHER)
    assert pool.state.k_last == pool.state.reserve0 * pool.state.reserve1
    pool.swap_exact_in(market.trader, WETH, 100 * ETHER)
    pool.add_liquidity(market.provider, ETHER, ETHER)
    assert pool.shares[pool.fee_account] > 0
    pool.remove_liquidity(market.provider, ETHER)
    assert pool.state.k_last == pool.state.reserve0 * pool.state.reserve1
    pool.set_protocol_fee(market.trader, False)
    pool.add_liquidity(market.provider, ETHER, ETHER)
    assert pool.state.k_last == 0


# ---------------------------------------------------------------------- what must always hold
RESERVES = st.floats(4.0, 30.0).map(lambda exponent: int(10**exponent))
AMOUNTS = st.floats(0.0, 30.0).map(lambda exponent: int(10**exponent))
FEES = st.sampled_from([0, 1, 5, 25, 30, 100, 9999])


def test_fees_in_lowest_terms() -> None:
    assert fee_fraction(30) == (997, 1000)
    assert fee_fraction(0) == (1, 1)
    assert fee_fraction(1) == (9999, 10_000)


@given(RESERVES, RESERVES, AMOUNTS, FEES)
def test_output_is_the_exact_fraction_rounded_down_and_input_buys_it(x: int, y: int, amount: int, fee: int) -> None:
    kept, scale = fee_fraction(fee)
    effective = Fraction(amount * kept, scale)
    exact = y * effective / (x + effective)
    out = output_of(amount, x, y, kept, scale)
    assert exact - 1 < out <= exact
    if out:
        assert input_for(out, x, y, kept, scale) <= amount + 1


@given(RESERVES, RESERVES, AMOUNTS, FEES)
def test_an_input_always_buys_what_it_was_quoted_for(x: int, y: int, amount: int, fee: int) -> None:
    kept, scale = fee_fraction(fee)
    if amount >= y:
        return
    cost = input_for(amount, x, y, kept, scale)
    assert output_of(cost, x, y, kept, scale) >= amount


@given(RESERVES, RESERVES, st.floats(1e-6, 1e6), FEES)
def test_the_amount_to_a_ratio_is_the_largest_that_does_not_pass_it(x: int, y: int, ratio: float, fee: int) -> None:
    kept, scale = fee_fraction(fee)
    numerator, denominator = ratio.as_integer_ratio()
    product = x * y * numerator // denominator
    amount = amount_to_ratio(x, y, numerator, denominator, kept, scale)

    def reaches(d: int) -> Fraction:
        return (x + d) * (x + d * Fraction(kept, scale))

    if x * x >= product:
        assert amount == 0
    else:
        assert reaches(amount) <= product < reaches(amount + 1)


@given(RESERVES, RESERVES, st.integers(0, 10**12), st.integers(1, 10**24))
def test_the_protocols_shares_are_worth_a_sixth_of_the_growth(x: int, y: int, growth: int, total: int) -> None:
    shares = protocol_shares(x + growth, y + growth, x * y, total)
    assert 0 <= shares <= total // 5
    if growth == 0:
        assert shares == 0


def test_a_rich_trader_never_empties_the_pool(market: Market) -> None:
    pool = pool_of(market, ETHER, ETHER)
    swap = pool.swap_exact_in(market.trader, WETH, PLENTY)
    assert swap.amount_out < ETHER
    assert pool.state.reserve1 > 0
