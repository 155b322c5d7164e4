"""Supply, withdraw, borrow, repay, flags, transfers, e-mode, listing: worked examples."""

from __future__ import annotations

import pytest
from lending_fixture import (
    DOLLAR,
    START,
    USDC,
    WBTC,
    WETH,
    WSTETH,
    YEAR,
    Market,
    assert_books,
    assert_mirrors,
    percent,
    two_slopes,
)

from sim.markets.lending import MAX, RAY, WAD, EModeParameters, LendingPool, ReserveParameters

ETHER = 10**18


@pytest.fixture
def bench():
    """users[0] lends everything; users[1] has supplied 10 WETH and owes nothing."""
    bench = Market(wallets=100)
    for asset, tokens in ((WETH, 1_000), (WBTC, 50), (USDC, 1_000_000), (WSTETH, 1_000)):
        bench.supply(bench.users[0], asset, tokens)
    bench.supply(bench.users[1], WETH, 10)
    bench.ledger.journal.clear()
    return bench


# ---------------------------------------------------------------------- worked examples
def test_health_factor_by_hand(bench):
    """10 WETH at 2 000 USD, threshold 83 %: 16 600 USD count. Against 8 000 USDC the health factor is 2.075."""
    pool, alice = bench.pool, bench.users[1]
    assert pool.health_factor(alice) == MAX
    pool.borrow(alice, USDC, 8_000 * 10**6)
    data = pool.account_data(alice)
    assert data.total_collateral_base == 20_000 * DOLLAR
    assert data.total_debt_base == 8_000 * DOLLAR
    assert data.available_borrows_base == (16_100 - 8_000) * DOLLAR
    assert (data.ltv_bps, data.liquidation_threshold_bps) == (8_050, 8_300)
    assert data.health_factor == 2_075 * WAD // 1_000 == pool.health_factor(alice)
    assert data.has_zero_ltv_collateral is False


def test_average_threshold_is_weighted_by_value(bench):
    """10 WETH (20 000 USD at 83 %) and 0.5 WBTC (20 000 USD at 78 %): 80.5 %, LTV 76.75 %."""
    pool, alice = bench.pool, bench.users[1]
    bench.supply(alice, WBTC, 0.5)
    data = pool.account_data(alice)
    assert (data.ltv_bps, data.liquidation_threshold_bps) == (7_675, 8_050)
    pool.borrow(alice, USDC, 10_000 * 10**6)
    assert pool.health_factor(alice) == 322 * WAD // 100


def test_interest_by_hand():
    """1 000 USDC supplied, 450 lent out at a steady 2 % (half the optimum of 90 %): what a year brings to whom."""
    bench = Market(users=2, USDC={"reserve_factor_bps": 1_000})
    pool, (lender, borrower) = bench.pool, bench.users
    bench.supply(lender, USDC, 1_000)
    bench.supply(borrower, WETH, 1)
    pool.borrow(borrower, USDC, 450 * 10**6)
    assert pool.borrow_rate(USDC) == percent(2)
    assert pool.liquidity_rate(USDC) == percent(0.81)  # 2 % · 45 % · (1 - 10 %)
    assert pool.utilisation_ratio(USDC) == 0.45

    bench.clock.timestamp += YEAR
    # 1 + 0.02 + 0.0002 + 0.000001333...: 450 USDC have become 459.0906; in smallest units, rounded up.
    assert pool.debt_balance(USDC, borrower) == pool.total_debt(USDC) == 459_090_600
    assert pool.atoken_balance(USDC, lender) == pool.total_supply(USDC) == 1_008_100_000
    assert pool.normalized_income(USDC) == 10_081 * RAY // 10_000
    # The stored totals have not moved; an update books them and the treasury's tenth of 9.0906.
    assert pool.totals(USDC).liquidity_index == RAY
    bench.supply(lender, USDC, 1)
    totals = pool.totals(USDC)
    assert totals.last_update_timestamp == START + YEAR
    assert totals.liquidity_index == 10_081 * RAY // 10_000
    assert abs(totals.accrued_to_treasury_scaled * totals.liquidity_index // RAY - 909_060) <= 1


def test_a_reserve_without_debt_earns_nothing_and_its_borrow_index_stays(bench):
    pool = bench.pool
    bench.clock.timestamp += YEAR
    assert pool.normalized_income(WSTETH) == RAY
    # The view compounds the base rate, as the contract's does; the next update leaves the index where it was.
    assert pool.normalized_debt(WSTETH) > RAY
    bench.supply(bench.users[0], WSTETH, 1)
    assert pool.totals(WSTETH).borrow_index == pool.normalized_debt(WSTETH) == RAY


def test_virtual_balance_ignores_donations(bench):
    pool, ledger = bench.pool, bench.ledger
    before = pool.available_liquidity(USDC)
    ledger.transfer(pool.reserves[USDC].token, bench.users[2], pool.account, 50 * 10**6)
    assert pool.available_liquidity(USDC) == before
    assert pool.utilisation_ratio(USDC) == 0.0
    assert_books(bench)


def test_supply_withdraw_and_flags(bench):
    pool, bob = bench.pool, bench.users[2]
    done = pool.supply(bob, USDC, 40 * 10**6)
    assert done == (USDC, bob, 40 * 10**6, 40 * 10**6)
    assert pool.is_collateral(USDC, bob)
    assert bench.wallet(bob, USDC) == 60 * 10**6
    pool.set_collateral(bob, USDC, False)
    pool.supply(bob, USDC, 10 * 10**6)
    assert not pool.is_collateral(USDC, bob), "only a first supply becomes collateral by itself"
    assert pool.withdraw(bob, USDC, MAX).amount == 50 * 10**6
    assert pool.scaled_supplies[USDC][bob] == 0
    assert_mirrors(bench)
    assert_books(bench)


def test_supplying_and_repaying_for_another(bench):
    pool, alice, bob = bench.pool, bench.users[1], bench.users[2]
    pool.supply(bob, WBTC, 10**8, alice)
    assert pool.is_collateral(WBTC, alice)
    assert pool.scaled_supplies[WBTC][bob] == 0
    pool.borrow(alice, USDC, 50 * 10**6)
    assert pool.repay(bob, USDC, 20 * 10**6, alice) == (USDC, alice, 20 * 10**6, False)
    assert pool.debt_balance(USDC, alice) == 30 * 10**6
    assert bench.wallet(bob, USDC) == 80 * 10**6
    assert pool.withdraw(alice, WBTC, 10**8, bob).receiver == bob
    assert bench.wallet(bob, WBTC) == 100 * 10**8


def test_repaying_takes_no_more_than_the_debt(bench):
    pool, alice = bench.pool, bench.users[1]
    pool.borrow(alice, USDC, 50 * 10**6)
    bench.clock.timestamp += YEAR
    owed = pool.debt_balance(USDC, alice)
    assert owed > 50 * 10**6
    assert pool.repay(alice, USDC, 99 * 10**6).amount == owed
    assert not pool.is_borrowing(USDC, alice)
    assert pool.totals(USDC).scaled_debt == 0
    assert_books(bench)


def test_repaying_with_atokens_moves_no_cash(bench):
    pool, alice = bench.pool, bench.users[1]
    bench.supply(alice, USDC, 40)
    pool.borrow(alice, USDC, 100 * 10**6)
    cash, wallet = pool.available_liquidity(USDC), bench.wallet(alice, USDC)
    assert pool.repay_with_atokens(alice, USDC, MAX) == (USDC, alice, 40 * 10**6, True)
    assert pool.debt_balance(USDC, alice) == 60 * 10**6
    assert not pool.is_collateral(USDC, alice)
    assert (pool.available_liquidity(USDC), bench.wallet(alice, USDC)) == (cash, wallet)
    assert_books(bench)


def test_a_transfer_moves_scaled_units_and_no_flags(bench):
    pool, alice, bob = bench.pool, bench.users[1], bench.users[2]
    pool.transfer_atoken(alice, WETH, bob, 4 * ETHER)
    assert (pool.atoken_balance(WETH, alice), pool.atoken_balance(WETH, bob)) == (6 * ETHER, 4 * ETHER)
    assert not pool.is_collateral(WETH, bob)
    pool.transfer_atoken(alice, WETH, alice, 6 * ETHER)
    assert pool.atoken_balance(WETH, alice) == 6 * ETHER
    assert pool.is_collateral(WETH, alice)
    pool.transfer_atoken(alice, WETH, bob, 6 * ETHER)
    assert not pool.is_collateral(WETH, alice)
    assert_mirrors(bench)


def test_emode_raises_what_correlated_collateral_counts_for(bench):
    """10 WETH against 8 wstETH (18 400 USD): beyond 80.5 % outside, within 93 % inside the ETH mode."""
    pool, alice = bench.pool, bench.users[1]
    assert bench.attempt(pool.borrow, alice, WSTETH, 8 * ETHER) == "HealthFactorLowerThanLiquidationThreshold"
    pool.set_emode(alice, 1)
    assert pool.account_data(alice).liquidation_threshold_bps == 9_500
    pool.borrow(alice, WSTETH, 8 * ETHER)
    assert pool.health_factor(alice) == 19_000 * WAD // 18_400
    assert pool.emode_column[alice] == 1
    assert bench.attempt(pool.borrow, alice, USDC, 1) == "NotBorrowableInEMode"
    assert bench.attempt(pool.set_emode, alice, 0) == "HealthFactorLowerThanLiquidationThreshold"
    assert pool.set_emode(alice, 1).category == 1


def test_minting_to_the_treasury(bench):
    pool, alice = bench.pool, bench.users[1]
    pool.borrow(alice, USDC, 8_000 * 10**6)
    bench.clock.timestamp += YEAR
    bench.supply(bench.users[0], USDC, 1)
    due = pool.totals(USDC).accrued_to_treasury_scaled
    assert due > 0
    minted = pool.mint_to_treasury(alice, [USDC, WETH]).minted
    assert minted == ((USDC, pool.atoken_balance(USDC, pool.treasury)),)
    assert pool.scaled_supplies[USDC][pool.treasury] == due
    assert pool.totals(USDC).accrued_to_treasury_scaled == 0
    assert not pool.is_collateral(USDC, pool.treasury)
    assert_books(bench)


def test_factors_and_columns_give_the_health_factor(bench):
    pool, alice = bench.pool, bench.users[1]
    bench.supply(alice, WSTETH, 3)
    pool.set_emode(alice, 1)
    pool.borrow(alice, WETH, 2 * ETHER)
    bench.clock.timestamp += YEAR // 3
    collateral, debt = pool.factors()
    assert collateral.shape == (2, 4)
    weighted = (pool.collateral_column[:, alice] * collateral[pool.emode_column[alice]]).sum()
    owed = (pool.debt_column[:, alice] * debt).sum()
    assert weighted / owed == pytest.approx(pool.health_factor(alice) / WAD, rel=1e-9)


def test_touched_accounts_are_handed_over_once(bench):
    pool, alice, bob = bench.pool, bench.users[1], bench.users[2]
    pool.drain_touched()
    pool.supply(bob, USDC, 10**6)
    pool.borrow(alice, USDC, 10**6)
    assert set(pool.drain_touched()) == {alice, bob}
    assert pool.drain_touched() == []


# ---------------------------------------------------------------------- listing
def test_listing_refuses_what_does_not_go_together(bench):
    pool = bench.pool
    token = bench.ledger.add_token("DAI", 18)
    curve = two_slopes(80, 0, 4, 60)
    with pytest.raises(ValueError, match="ltv 8000 is above the liquidation threshold 7000"):
        pool.add_reserve(ReserveParameters(token, curve, 8_000, 7_000, 10_500))
    with pytest.raises(ValueError, match="above 100 %"):
        pool.add_reserve(ReserveParameters(token, curve, 8_000, 9_600, 10_500))
    with pytest.raises(ValueError, match="must be above 10000"):
        pool.add_reserve(ReserveParameters(token, curve, 8_000, 9_000, 10_000))
    with pytest.raises(ValueError, match="must be 0 where the threshold is 0"):
        pool.add_reserve(ReserveParameters(token, curve, 0, 0, 10_500))
    with pytest.raises(ValueError, match="none may be negative"):
        pool.add_reserve(ReserveParameters(token, curve, -1, 9_000, 10_500))
    with pytest.raises(ValueError, match=r"reserve_factor_bps = 10001.*supply_cap_tokens = -1"):
        pool.add_reserve(ReserveParameters(token, curve, 0, 0, 0, reserve_factor_bps=10_001, supply_cap_tokens=-1))
    with pytest.raises(ValueError, match="listed already"):
        pool.add_reserve(ReserveParameters(pool.reserves[0].token, curve, 0, 0, 0))
    with pytest.raises(ValueError, match="there is no reserve 9"):
        pool.add_emode(EModeParameters(2, 9_000, 9_300, 10_100, (9,), ()))
    with pytest.raises(ValueError, match="listed already"):
        pool.add_emode(EModeParameters(1, 9_000, 9_300, 10_100, (0,), ()))
    with pytest.raises(ValueError, match=r"allowed 1 to 255.*needs an LTV"):
        pool.add_emode(EModeParameters(0, 0, 9_300, 10_100, (0,), ()))
    with pytest.raises(ValueError, match="rules '4'"):
        LendingPool("x", bench.ledger, bench.clock, prices=[], rules="4")


def test_a_reserve_listed_later_joins_lists_columns_and_emodes(bench):
    pool, bob = bench.pool, bench.users[2]
    token = bench.ledger.add_token("DAI", 18)
    bench.prices.append(DOLLAR)
    asset = pool.add_reserve(ReserveParameters(token, two_slopes(80, 0, 4, 60), 7_500, 7_800, 10_500))
    assert pool.asset("DAI") == asset == 4
    with pytest.raises(KeyError):
        pool.asset("USDT")
    pool.set_emode(bob, 1)
    bench.supply(bob, asset, 100)
    assert pool.account_data(bob).liquidation_threshold_bps == 7_800
    assert_mirrors(bench)
    assert_books(bench)
