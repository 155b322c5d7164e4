"""Liquidation: amounts by hand under three versions' rules, boundaries of close factor and dust, bad debt, preview."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lending_fixture import DOLLAR, USDC, WBTC, WETH, WSTETH, YEAR, Market, assert_books, assert_mirrors

from sim.chain.revert import Revert
from sim.ledger import EXCEEDS_BALANCE
from sim.markets.lending import LIQUIDATION_RULES, MAX, RAY, WAD
from sim.markets.lending.liquidation import Side, liquidation_amounts

ETHER, MICRO = 10**18, 10**6

#: 10 WETH at a threshold of 82.5 % and a bonus of 5 %, no fee, against 7 500 USDC.
HAND = {
    "WETH": {
        "price_usd": 1_000,
        "ltv_bps": 8_000,
        "liquidation_threshold_bps": 8_250,
        "liquidation_protocol_fee_bps": 0,
    }
}


def hand_market(rules: str, **changes: dict) -> Market:
    bench = Market(users=3, rules=rules, **{**HAND, **changes})
    lender, borrower, liquidator = bench.users
    bench.supply(lender, USDC, 100_000)
    bench.supply(borrower, WETH, 10)
    bench.pool.borrow(borrower, USDC, 7_500 * MICRO)
    bench.fund(liquidator, USDC, 100_000)
    bench.ledger.journal.clear()
    return bench


# price, rules -> HF (wad), debt repaid (USDC units), collateral seized (wei), debt left, deficit.
# 3 750 / 880 = 4.261363636363636363|636 rounds down; times 1.05 = 4.474431818181818181|15 to the nearest.
BY_HAND = [
    (880, "3.6", 968 * WAD // 1_000, 3_750_000_000, 4_474431818181818181, 3_750_000_000, 0),
    (880, "3.0", 968 * WAD // 1_000, 3_750_000_000, 4_474431818181818181, 3_750_000_000, 0),
    (880, "2", 968 * WAD // 1_000, 3_750_000_000, 4_474431818181818181, 3_750_000_000, 0),
    # Below 0.95 the close factor is all in V3 and still half in V2.
    (860, "3.6", 946 * WAD // 1_000, 7_500_000_000, 9_156976744186046511, 0, 0),
    (860, "3.0", 946 * WAD // 1_000, 7_500_000_000, 9_156976744186046511, 0, 0),
    (860, "2", 946 * WAD // 1_000, 3_750_000_000, 4_578488372093023255, 3_750_000_000, 0),
    # Under water: all collateral pays for 7 800 / 1.05, rounded up; what is left is bad debt, booked by V3.6 alone.
    (780, "3.6", 858 * WAD // 1_000, 7_428_571_429, 10 * ETHER, 0, 71_428_571),
    (780, "3.0", 858 * WAD // 1_000, 7_428_571_429, 10 * ETHER, 71_428_571, 0),
    (780, "2", 858 * WAD // 1_000, 3_750_000_000, 5_048076923076923077, 3_750_000_000, 0),
]


@pytest.mark.parametrize(("price", "rules", "factor", "repaid", "seized", "left", "deficit"), BY_HAND)
def test_amounts_by_hand(price, rules, factor, repaid, seized, left, deficit):
    bench = hand_market(rules)
    pool, (_, borrower, liquidator) = bench.pool, bench.users
    bench.price(WETH, price)
    assert pool.health_factor(borrower) == factor
    done = pool.liquidate(liquidator, WETH, USDC, borrower, MAX)
    assert done.health_factor == factor
    assert (done.debt_repaid, done.collateral_to_liquidator, done.protocol_fee) == (repaid, seized, 0)
    assert bench.wallet(liquidator, WETH) == seized
    assert bench.wallet(liquidator, USDC) == 100_000 * MICRO - repaid
    assert pool.debt_balance(USDC, borrower) == left
    assert pool.deficit(USDC) == deficit
    assert done.deficits == (((USDC, deficit),) if deficit else ())
    assert pool.is_borrowing(USDC, borrower) == bool(left)
    assert pool.is_collateral(WETH, borrower) == (seized < 10 * ETHER)
    assert_books(bench)
    assert_mirrors(bench)


def test_healthy_at_the_threshold_and_one_tick_below():
    """7 500 / (10 · 0.825) = 909.0909...: the factor passes 1 between two prices of 8 decimals."""
    bench = hand_market("3.6")
    pool, (_, borrower, liquidator) = bench.pool, bench.users
    bench.prices[WETH] = 90_909_090_910
    assert pool.health_factor(borrower) >= WAD
    assert bench.attempt(pool.liquidate, liquidator, WETH, USDC, borrower, MAX) == "HealthFactorNotBelowThreshold"
    bench.prices[WETH] = 90_909_090_909
    assert pool.health_factor(borrower) < WAD
    assert bench.attempt(pool.liquidate, liquidator, WETH, USDC, borrower, MAX) is None


def test_the_fee_is_a_share_of_the_bonus_alone():
    bench = hand_market("3.6", WETH={**HAND["WETH"], "liquidation_protocol_fee_bps": 1_000})
    pool, (_, borrower, liquidator) = bench.pool, bench.users
    bench.price(WETH, 880)
    seized = 4_474431818181818181
    bonus = seized - 4_261363636363636363  # seized / 1.05 = ...362.857, to the nearest
    fee = 21306818181818182  # a tenth of 213068181818181818, to the nearest
    assert bonus == 213068181818181818
    done = pool.liquidate(liquidator, WETH, USDC, borrower, MAX)
    assert (done.collateral_to_liquidator, done.protocol_fee) == (seized - fee, fee)
    assert pool.atoken_balance(WETH, pool.treasury) == fee
    assert pool.atoken_balance(WETH, borrower) == 10 * ETHER - seized


def test_seized_atokens_do_not_become_collateral():
    bench = hand_market("3.6")
    pool, (_, borrower, liquidator) = bench.pool, bench.users
    bench.price(WETH, 880)
    done = pool.liquidate(liquidator, WETH, USDC, borrower, MAX, True)
    assert done.receive_atoken
    assert pool.atoken_balance(WETH, liquidator) == done.collateral_to_liquidator
    assert bench.wallet(liquidator, WETH) == 0
    assert not pool.is_collateral(WETH, liquidator)
    assert_books(bench)


# ---------------------------------------------------------------------- boundaries of V3.6
V36 = LIQUIDATION_RULES["3.6"]


def amounts(
    debt_base: int,
    collateral_base: int,
    cover_base: int,
    *,
    factor: int = 98 * WAD // 100,
    total_debt_base: int | None = None,
    bonus_bps: int = 10_000,
):
    """Seizure with both sides in units of 1e-8 USD, so that amounts are values."""
    unit = 10**8
    total = debt_base if total_debt_base is None else total_debt_base
    debt, collateral = Side(debt_base, DOLLAR, unit), Side(collateral_base, DOLLAR, unit)
    return liquidation_amounts(V36, factor, total, debt, collateral, bonus_bps, 0, cover_base)


def test_close_factor_begins_at_2000_usd_on_both_sides():
    limit = 2_000 * DOLLAR
    assert amounts(limit, 10 * limit, MAX).debt_repaid == limit // 2
    assert amounts(limit - 1, 10 * limit, MAX).debt_repaid == limit - 1
    assert amounts(10 * limit, limit, MAX, factor=96 * WAD // 100).debt_repaid == limit
    # With less than 2 000 USD of collateral the whole debt may be covered, as far as the collateral goes.
    assert amounts(limit, limit - 1, MAX).debt_repaid == limit - 1


def test_close_factor_ends_at_a_health_factor_of_95_percent():
    limit = 95 * WAD // 100
    assert amounts(10_000 * DOLLAR, 10_500 * DOLLAR, MAX, factor=limit + 1).debt_repaid == 5_000 * DOLLAR
    assert amounts(10_000 * DOLLAR, 10_500 * DOLLAR, MAX, factor=limit).debt_repaid == 10_000 * DOLLAR


def test_close_factor_is_a_share_of_all_debt():
    """Of 10 000 USD in all, up to 5 000 may be closed, in whichever asset: 4 000 entirely, 6 000 not."""
    total = 10_000 * DOLLAR
    assert amounts(4_000 * DOLLAR, total, MAX, total_debt_base=total).debt_repaid == 4_000 * DOLLAR
    assert amounts(5_000 * DOLLAR, total, MAX, total_debt_base=total).debt_repaid == 5_000 * DOLLAR
    assert amounts(6_000 * DOLLAR, total, MAX, total_debt_base=total).debt_repaid == 5_000 * DOLLAR


def test_at_least_1000_usd_must_remain_on_both_sides():
    debt, collateral = 3_000 * DOLLAR, 3_000 * DOLLAR
    assert amounts(debt, collateral, 1_500 * DOLLAR).debt_repaid == 1_500 * DOLLAR
    small = 1_900 * DOLLAR  # below 2 000 USD: no close factor
    assert amounts(small, collateral, 900 * DOLLAR).debt_repaid == 900 * DOLLAR
    with pytest.raises(Revert, match="MustNotLeaveDust"):
        amounts(small, collateral, 900 * DOLLAR + 1)
    assert amounts(small, collateral, MAX).debt_repaid == small, "closing it leaves nothing"
    with pytest.raises(Revert, match="MustNotLeaveDust"):
        amounts(collateral, small, 900 * DOLLAR + 1)
    assert amounts(collateral, small, MAX).collateral_to_liquidator == small


def test_older_rules_leave_dust():
    debt = Side(1_900 * DOLLAR, DOLLAR, 10**8)
    for name in ("3.0", "2"):
        rules = LIQUIDATION_RULES[name]
        seizure = liquidation_amounts(rules, 98 * WAD // 100, debt.balance, debt, debt, 10_000, 0, MAX)
        assert seizure.debt_repaid == debt.balance // 2


@given(
    st.sampled_from(["3.6", "3.0", "2"]),
    st.integers(1, 10**14),
    st.integers(1, 10**23),
    st.integers(1, 10**13),
    st.integers(1, 10**13),
    st.integers(10_001, 12_000),
    st.integers(0, 10_000),
    st.integers(0, WAD - 1),
    st.one_of(st.just(MAX), st.integers(1, 10**14)),
)
def test_seizing_stays_within_the_balances(rules, owed, held, debt_price, collateral_price, bonus, fee_bps, hf, cover):
    debt, collateral = Side(owed, debt_price, MICRO), Side(held, collateral_price, ETHER)
    total = -(-owed * debt_price // MICRO)
    version = LIQUIDATION_RULES[rules]
    try:
        done = liquidation_amounts(version, hf, total, debt, collateral, bonus, fee_bps, cover)
    except Revert:
        assert version.min_leftover_base, "only the dust rule refuses amounts"
        return
    seized = done.collateral_to_liquidator + done.protocol_fee
    assert 0 <= done.protocol_fee <= seized <= held
    assert done.debt_repaid <= min(cover, owed) + 1  # recomputed from the seized collateral, it rounds up
    # What is seized is worth the repaid debt and the bonus, but for the rounding of one unit of either side.
    worth = seized * collateral_price / ETHER
    paid = (done.debt_repaid + 1) * debt_price / MICRO
    assert worth <= paid * bonus / 10_000 * (1 + 1e-12) + collateral_price / ETHER


def test_without_a_price_nothing_is_liquidated():
    side = Side(1, 0, 1)
    with pytest.raises(Revert):
        liquidation_amounts(V36, 0, 1, side, side, 10_500, 0, MAX)


# ---------------------------------------------------------------------- bad debt
def test_last_collateral_gone_all_debts_are_written_off():
    bench = hand_market("3.6")
    pool, (lender, borrower, liquidator) = bench.pool, bench.users
    bench.supply(lender, WSTETH, 10)
    pool.borrow(borrower, WSTETH, 2 * ETHER // 10)
    bench.clock.timestamp += YEAR // 2
    bench.price(WETH, 700)
    owed = pool.debt_balance(WSTETH, borrower)
    debt_before, rate_before = pool.debt_balance(USDC, borrower), pool.borrow_rate(WSTETH)
    preview = pool.liquidation_preview(borrower, WETH, USDC, MAX)
    done = pool.liquidate(liquidator, WETH, USDC, borrower, MAX)
    assert done == preview
    assert done.deficits == ((USDC, debt_before - done.debt_repaid), (WSTETH, owed))
    assert (pool.deficit(USDC), pool.deficit(WSTETH)) == (debt_before - done.debt_repaid, owed)
    assert pool.flags[borrower] == 0
    assert pool.health_factor(borrower) == MAX
    assert pool.totals(WSTETH).scaled_debt == 0
    assert pool.borrow_rate(WSTETH) < rate_before
    assert_books(bench)


def test_with_collateral_elsewhere_nothing_is_written_off():
    bench = hand_market("3.6")
    pool, (_, borrower, liquidator) = bench.pool, bench.users
    bench.supply(borrower, WBTC, 0.001)
    bench.price(WETH, 700)
    done = pool.liquidate(liquidator, WETH, USDC, borrower, MAX)
    assert done.collateral_to_liquidator == 10 * ETHER
    assert done.deficits == ()
    assert pool.debt_balance(USDC, borrower) == 7_500 * MICRO - done.debt_repaid
    assert pool.deficit(USDC) == 0


def test_one_asset_on_both_sides_books_the_treasurys_share_twice():
    """A quirk of the contract: it accrues the reserve through two caches when time has passed."""
    bench = Market(users=3, WETH={"reserve_factor_bps": 1_500})
    pool, (lender, borrower, liquidator) = bench.pool, bench.users
    bench.supply(lender, WETH, 100)
    bench.supply(borrower, WETH, 10)
    bench.supply(borrower, USDC, 10_000)
    pool.borrow(borrower, WETH, 11 * ETHER)
    bench.fund(liquidator, WETH, 10)
    bench.clock.timestamp += YEAR
    bench.price(WETH, 5_000)
    before = pool.totals(WETH).accrued_to_treasury_scaled
    once = pool.totals_now(WETH).accrued_to_treasury_scaled - before
    assert once > 0
    pool.liquidate(liquidator, WETH, WETH, borrower, ETHER)
    assert pool.totals(WETH).accrued_to_treasury_scaled == before + 2 * once
    assert_books(bench)


# ---------------------------------------------------------------------- refusals and preview
def test_refusals():
    bench = hand_market("3.6")
    pool, (lender, borrower, liquidator) = bench.pool, bench.users
    assert bench.attempt(pool.liquidate, borrower, WETH, USDC, borrower, MAX) == "SelfLiquidation"
    assert bench.attempt(pool.liquidate, liquidator, WETH, USDC, borrower, MAX) == "HealthFactorNotBelowThreshold"
    bench.supply(borrower, WBTC, 0.001)
    pool.set_collateral(borrower, WBTC, False)
    bench.price(WETH, 880)
    attempt = bench.attempt
    assert attempt(pool.liquidate, liquidator, WBTC, USDC, borrower, MAX) == "CollateralCannotBeLiquidated"
    assert attempt(pool.liquidate, liquidator, WETH, WBTC, borrower, MAX) == "SpecifiedCurrencyNotBorrowedByUser"
    assert attempt(pool.liquidate, liquidator, WETH, USDC, borrower, 0) == "InvalidBurnAmount"
    bench.ledger.transfer(pool.reserves[USDC].token, liquidator, lender, 99_000 * MICRO)
    assert attempt(pool.liquidate, liquidator, WETH, USDC, borrower, MAX) == EXCEEDS_BALANCE
    bench.supply(lender, USDC, 1_000)
    pool.set_collateral(lender, USDC, True)
    pool.borrow(lender, WETH, 9 * ETHER)
    assert attempt(pool.liquidate, liquidator, WETH, USDC, borrower, MAX) == "ARITHMETIC_OVERFLOW_OR_UNDERFLOW"
    for asset in (WETH, USDC):
        pool.set_paused(lender, asset, True)
        assert attempt(pool.liquidate, liquidator, WETH, USDC, borrower, MAX) == "ReservePaused"
        pool.set_paused(lender, asset, False)


def test_a_preview_says_why_not():
    bench = hand_market("3.6")
    pool, borrower = bench.pool, bench.users[1]
    assert pool.liquidation_preview(borrower, WETH, USDC, MAX) is None
    with pytest.raises(Revert, match="HealthFactorNotBelowThreshold"):
        pool.plan_liquidation(borrower, WETH, USDC, MAX)


@given(
    st.sampled_from(["3.6", "3.0", "2"]),
    st.integers(500, 1_100),
    st.floats(0.1, 1.0),
    st.sampled_from([WETH, WBTC, USDC]),
    st.sampled_from([USDC, WSTETH, WETH]),
    st.one_of(st.just(MAX), st.integers(0, 10**20)),
    st.booleans(),
    st.integers(0, 3 * YEAR),
)
def test_a_preview_is_what_happens(rules, price, wbtc_price, collateral, debt, cover, receive_atoken, seconds):
    bench = hand_market(rules, WETH={**HAND["WETH"], "liquidation_protocol_fee_bps": 1_000})
    pool, (lender, borrower, liquidator) = bench.pool, bench.users
    for asset in (WETH, WSTETH):
        bench.supply(lender, asset, 100)
        bench.fund(liquidator, asset, 1_000)
    bench.supply(borrower, WBTC, 0.05)
    pool.borrow(borrower, WSTETH, 5 * ETHER // 10)
    pool.borrow(borrower, WETH, 2 * ETHER // 10)
    bench.clock.timestamp += seconds
    bench.price(WETH, price)
    bench.price(WBTC, 40_000 * wbtc_price)
    bench.ledger.journal.clear()
    preview = pool.liquidation_preview(borrower, collateral, debt, cover, receive_atoken)
    assert bench.ledger.journal.entries == []
    reason = None
    try:
        done = pool.liquidate(liquidator, collateral, debt, borrower, cover, receive_atoken)
    except Revert as refusal:
        reason = refusal.reason
    if reason is None:
        assert preview == done
        assert_books(bench)
        assert_mirrors(bench)
        if rules == "3.6":
            collaterals, debts = pool._used[pool.flags[borrower]]
            assert collaterals or not debts, "no debt may stay without collateral"
    else:
        assert preview is None
        with pytest.raises(Revert, match=reason):
            pool.plan_liquidation(borrower, collateral, debt, cover, receive_atoken)


def test_rules_are_records():
    assert {name: rules.name for name, rules in LIQUIDATION_RULES.items()} == {"3.6": "3.6", "3.0": "3.0", "2": "2"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        V36.close_factor_bps = 1  # type: ignore[misc]
    assert RAY == 10**27
