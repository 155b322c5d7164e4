"""The concentrated pool's flash loans and protocol fees."""

from __future__ import annotations

import pytest
from amm_fixture import PLENTY, USDC, WETH, Market, refusal

from sim.markets.amm.records import Collected, Flash


@pytest.fixture
def market() -> Market:
    return Market()


def test_a_flash_loan_pays_its_fee_to_liquidity_and_protocol(market: Market) -> None:
    pool = market.concentrated(fee_protocol=4)
    transfer, trader = market.ledger.transfer, market.trader
    lent = 10**18 + 1
    fee = 3 * 10**15 + 1

    def pay_back() -> None:
        transfer(WETH, trader, pool.account, lent + fee)

    before, growth = pool.reserves(), pool.state.fee_growth_global0_x128
    assert pool.flash(trader, lent, 0, pay_back) == Flash(lent, 0, fee, 0)
    assert pool.reserves() == (before[0] + fee, before[1])
    assert pool.state.protocol_fees0 == fee // 4
    assert pool.state.fee_growth_global0_x128 == growth + ((fee - fee // 4) << 128) // pool.state.liquidity
    assert pool.state.unlocked is True

    def pay_too_little() -> None:
        transfer(WETH, trader, pool.account, lent + fee - 1)

    assert refusal(pool.flash, trader, lent, 0, pay_too_little, pool=pool) == "F0"
    assert refusal(pool.flash, trader, PLENTY, 0, pay_back, pool=pool) == "TF"


def test_a_flash_loan_of_the_second_token(market: Market) -> None:
    pool = market.concentrated()
    trader = market.trader

    def pay(amount: int) -> None:
        market.ledger.transfer(USDC, trader, pool.account, amount)

    assert refusal(pool.flash, trader, 0, 10**6, lambda: pay(10**6 + 2999), pool=pool) == "F1"
    growth = pool.state.fee_growth_global1_x128
    # A donation beyond the fee goes to the liquidity as well.
    assert pool.flash(trader, 0, 10**6, lambda: pay(10**6 + 10**9)) == Flash(0, 10**6, 0, 10**9)
    assert pool.state.fee_growth_global1_x128 == growth + (10**9 << 128) // pool.state.liquidity
    assert pool.state.protocol_fees1 == 0


def test_nothing_runs_inside_a_flash_loan(market: Market) -> None:
    pool = market.concentrated()
    trader = market.trader
    for inner in (
        lambda: pool.swap_exact_in(trader, WETH, 1000),
        lambda: pool.mint(trader, -60, 60, 10**18, 10**18),
        lambda: pool.collect(market.provider, 1),
        lambda: pool.flash(trader, 1, 1, lambda: None),
        lambda: pool.collect_protocol(trader),
    ):
        assert refusal(pool.flash, trader, 1, 1, inner, pool=pool) == "LOK"
    assert refusal(market.concentrated(ranges=()).flash, trader, 1, 1, lambda: None, pool=pool) == "L"


def test_protocol_fees_are_set_taken_and_collected(market: Market) -> None:
    pool = market.concentrated()
    assert refusal(pool.set_fee_protocol, market.other, 3, 4, pool=pool) == ""
    assert refusal(pool.set_fee_protocol, market.other, 4, 11, pool=pool) == ""
    pool.set_fee_protocol(market.other, 4, 10)
    sold = pool.swap_exact_in(market.trader, WETH, 10**18)
    bought = pool.swap_exact_in(market.trader, USDC, 10**9)
    assert pool.state.protocol_fees0 == sold.fee_amount // 4
    assert pool.state.protocol_fees1 == bought.fee_amount // 10
    assert pool.collect_protocol(market.other, 5, 0) == Collected(0, 5, 0)
    rest = pool.collect_protocol(market.other)
    # One unit stays behind, so that the slot is never cleared.
    assert rest == Collected(0, sold.fee_amount // 4 - 6, bought.fee_amount // 10 - 1)
    assert (pool.state.protocol_fees0, pool.state.protocol_fees1) == (1, 1)
    assert pool.collect_protocol(market.other) == Collected(0, 0, 0)
